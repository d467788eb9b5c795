"""HTTP as RFC 8555 uses it: methods, media types, links, and a problem document on every error (sections 6.3, 6.7, 7.1)."""

import pytest

from conformance.acme.cases.companions import certificate_id
from conformance.acme.client import dns
from conformance.acme.deviations import deviations


def owed(client, response):
    return [str(d) for d in deviations(response, directory_url=client.directory_url, new_nonce_url=client.directory["newNonce"])]


def test_the_directory_by_get_and_by_post_as_get(lab):
    client = lab.client()
    account = client.register()
    by_get = client.get(client.directory_url)
    by_post = client.send(client.fetch(account, client.directory_url))
    assert by_get.media_type == by_post.media_type == "application/json"
    assert by_get.object == by_post.object
    assert {"newNonce", "newAccount", "newOrder", "newAuthz", "revokeCert", "keyChange"} <= set(by_get.object)
    assert isinstance(by_get.object["meta"], dict)


def test_only_what_works_is_in_the_directory(lab):
    """Servers advertise keyChange, newAuthz or renewalInfo and answer 404 or 501 there; each URL must lead somewhere."""
    client = lab.client()
    account = client.register()
    resources = {name: url for name, url in client.directory.items() if name != "meta"}
    # RFC 9773 section 4.1: what is asked for stands behind this URL, and is asked for by GET.
    leaf = lab.enroll(client, account).certificates[0]
    assert client.get(f"{resources.pop('renewalInfo')}/{certificate_id(leaf)}").status == 200
    for name, url in resources.items():
        assert url.startswith("https://"), name
        assert client.send(client.by_account(account, url, {})).status not in {404, 501}, name


def test_every_resource_refuses_plain_get(lab):
    """RFC 8555 section 6.3: 405, malformed, for everything but directory and newNonce."""
    client = lab.client()
    account = client.register()
    enrolled = lab.enroll(client, account)
    order = client.read(account, enrolled.order_url)
    authorization = client.read(account, order["authorizations"][0])
    urls = [
        *(client.directory[name] for name in ("newAccount", "newOrder", "newAuthz", "revokeCert", "keyChange")),
        account.url,
        client.read(account, account.url)["orders"],
        enrolled.order_url,
        order["finalize"],
        order["certificate"],
        order["authorizations"][0],
        authorization["challenges"][0]["url"],
    ]
    for url in urls:
        response = client.get(url)
        assert (response.status, response.error) == (405, "malformed"), url
        assert response.header("Allow") == "POST", url
        assert owed(client, response) == [], url


@pytest.mark.parametrize("kind", ["order", "authorization", "challenge", "certificate", "account"])
def test_what_does_not_exist_is_a_problem_document(lab, kind):
    client = lab.client()
    account = client.register()
    enrolled = lab.enroll(client, account)
    order = client.read(account, enrolled.order_url)
    challenge = client.read(account, order["authorizations"][0])["challenges"][0]["url"]
    url = {
        "order": enrolled.order_url,
        "authorization": order["authorizations"][0],
        "challenge": challenge,
        "certificate": order["certificate"],
        "account": account.url,
    }[kind]
    assert client.send(client.fetch(account, url)).status == 200
    parts = url.rsplit("/", 2) if kind == "challenge" else url.rsplit("/", 1)
    unknown = "/".join([parts[0], "A" * 22, *parts[2:]])
    response = client.send(client.fetch(account, unknown))
    # Another account's URL and no account's look alike: who may ask is judged before what is there.
    assert (response.status, response.error) in (
        {(404, "malformed"), (403, "unauthorized")} if kind == "account" else {(404, "malformed")}
    )
    assert owed(client, response) == []
    assert client.send(client.fetch(account, url)).status == 200


@pytest.mark.parametrize("tail", ["", "nothing", "order", "order/", "authz/x/y/z", "..", "%2e%2e", "directory/"])
def test_a_path_that_leads_nowhere_is_a_problem_document(lab, tail):
    client = lab.client()
    account = client.register()
    url = client.directory_url.removesuffix("directory") + tail
    for response in (client.get(url), client.send(client.fetch(account, url))):
        assert response.status in {404, 405}
        assert response.error == "malformed"
        assert owed(client, response) == []


def test_every_reply_of_an_enrollment_owes_nothing(lab):
    """Link to the index, Replay-Nonce, Cache-Control: checked on each reply of a whole enrollment."""
    found = []
    replies = []

    def observe(draft, response):
        replies.append(response.status)
        found.extend(owed(client, response) if response.request.url != client.directory_url else [])

    client = lab.client(observe)
    lab.enroll(client, client.register())
    assert len(replies) >= 9
    assert found == []


def test_unknown_fields_are_ignored(lab):
    """RFC 8555 section 7.3: fields that the server does not recognize are ignored; the old ``resource`` field is such a one."""
    client = lab.client()
    account = client.register()
    draft = client.new_order(account, dns(lab.name()), resource="new-order", nickname="x")
    response = client.send(draft)
    assert response.status == 201
    assert not {"resource", "nickname"} & set(response.object)
