"""Real clients against a certificate server, judged by what they hold afterwards.

``python -m interop run`` starts the server under test in network namespaces of its own, lets stock clients work against it, and
writes ``results.json`` and ``index.html``. Nothing here imports the server: it is started as a program and asked as one.

This module and everything under ``interop.clients`` also run inside the clients' root directories, with nothing but a Python
standard library: they import no third-party code.
"""
