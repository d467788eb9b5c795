"""The network side of the server, on Twisted: all protocols come in here, and the validation of names goes out from here.

How ``server.py`` puts it together, for one worker::

    transcript = Transcript(directory / "transcripts" / "worker-0.jsonl", run_in_thread=deferToThread)
    metrics = Metrics()
    resource = Resource(
        services={"acme": acme_service},          # Service: async handle(exchange, request, profile) -> Response
        status=status_service,                    # Status: async handle(exchange, request) -> Response, for /crl, /ocsp and /ca; or None
        profiles=store,                           # Profiles: async profile(id), async default_profile(protocol)
        names=("localhost", "127.0.0.1", "::1"),  # what a Host header may say; the first one stands in for any other
        clock=clock, entropy=entropy, transcript=transcript, metrics=metrics,
    )
    factory = HttpFactory(resource, HttpLimits())
    sockets, warnings = bind(("127.0.0.1", "::1"), 8443)      # raises PortTaken; no IPv6 is a warning
    tls = ServerTls(certificates, private_key)                # tls.replace(certificates, private_key) when they are renewed
    listeners = Listeners(reactor)
    listeners.serve(sockets, factory, tls)                    # workers adopt inherited ones: adopt(fd) -> socket
    ...
    await listeners.stop(); await factory.drain(10.0); await background.drain(10.0); await transcript.close()

    background = ReactorBackground(reactor)
    prober = NetworkProber(reactor, Dns(reactor, servers), AddressPolicy(allow, deny, own), ProberLimits(http01_port=80, tlsalpn01_port=443))
    zone = LabZone(ipv4="127.0.0.1", ipv6="")                 # what the lab's resolver says
    resolver = LabResolver(reactor, zone); resolver.listen(address, port) -> port
    admin = Admin(metrics, ready=callable, names=("localhost", "127.0.0.1", "::1"), zone=zone or None)
    HttpFactory(admin, HttpLimits())

``Deferred`` objects are awaitable, so ``await`` above means: in a coroutine driven by ``Deferred.fromCoroutine``.
"""
