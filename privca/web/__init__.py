"""The network side of the server, on Twisted: all protocols come in here, and the validation of names goes out from here.

How ``server.py`` puts it together, for one worker, with the real reactor and sockets that were bound before::

    transcript = Transcript(directory / "transcripts" / "worker-0.jsonl", reactor, deferToThread)
    metrics = Metrics()
    resource = Resource(
        services={"acme": acme_service},          # Service: async handle(exchange, request, profile), failure(...)
        status=status_service,                    # Status: async handle(exchange, request) -> Response, for /crl, /ocsp and /ca; or None
        profiles=profiles,                        # Profiles: async profile(id), async default_profile(protocol); both from memory
        names=("localhost", "127.0.0.1", "::1"),  # what a Host field may say; the first one stands in for any other
        clock=clock, entropy=entropy, transcript=transcript, metrics=metrics,
        exchange_log=exchange_log,                # what logs.configure() gives
    )
    factory = HttpFactory(reactor, resource, HttpLimits())
    tls = ServerTls(certificates, private_key)    # own certificate first; tls.replace(certificates, private_key) when they are renewed
    listeners = Listeners(reactor)
    listeners.serve(https_sockets, factory, tls)  # listening sockets; a worker gets its own by adopt(descriptor)
    listeners.serve(http_sockets, factory)

    background = ReactorBackground(reactor)
    own = [(address, port), ...]                  # all listeners of this server
    dns = Dns(reactor, [("127.0.0.1", 8053)])     # or system_servers()
    prober = NetworkProber(reactor, dns, AddressPolicy(allow, DENIED_BY_DEFAULT, own), ProberLimits(http01_port=80, tlsalpn01_port=443))

    zone = LabZone(ipv4="127.0.0.1", ipv6="")     # what the lab's resolver says
    resolver = LabResolver(reactor, zone)
    resolver.serve([udp_socket, tcp_socket])
    admin = Admin(metrics, ready=lambda: [], names=("localhost", "127.0.0.1", "::1"), zone=zone)  # zone None outside a lab
    admin_factory = HttpFactory(reactor, admin, HttpLimits())

    # The end, in a coroutine driven by Deferred.fromCoroutine:
    await listeners.stop(); await factory.drain(10.0); await background.drain(10.0); await resolver.stop(); await transcript.close()
"""
