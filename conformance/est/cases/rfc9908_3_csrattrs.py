"""RFC 9908: extensions and keys among the CSR attributes, and the template for a CSR."""

from __future__ import annotations

from collections.abc import Iterator

from conformance import der
from conformance.case import case
from conformance.est import csr, replies, template
from conformance.est.cases.rfc8951_4_csrattrs import EC_PUBLIC_KEY, FEATURE, KEYS, RSA_ENCRYPTION, TEMPLATE, entries, shown
from conformance.est.lab import EstLab
from conformance.est.replies import Entry, Unreadable
from conformance.est.template import EXTENSION_REQUEST_TEMPLATE, Template
from conformance.examination import NotApplicable, Unsupported

_TEMPLATE = "csr-template"
_EXTENSIONS = "2.5.29."


def _lists(lab: EstLab) -> Iterator[list[Entry]]:
    """The CSR attributes of each endpoint that has any that can be read."""
    for _, reply in shown(lab):
        yield entries(reply)


def _requests(lab: EstLab) -> list[list[Entry]]:
    """The extension requests of each endpoint. :raises Unsupported: if there is none."""
    every = [[one for one in found if one.oid == csr.EXTENSION_REQUEST and one.values is not None] for found in _lists(lab)]
    if not any(every):
        raise Unsupported("no CSR attributes ask for extensions")
    return every


@case(
    "est.csrattrs.extension-request",
    covers=["rfc9908:3.2#extension-request"],
    kills=["est.csrattrs.extension-by-itself"],
    feature=FEATURE,
)
def extension_request(lab: EstLab) -> None:
    """An extension with a value stands in id-ExtensionReq, not by its own OID."""
    every = list(_lists(lab))
    if not any(one.values for found in every for one in found):
        raise Unsupported("no CSR attributes have values")
    for found in every:
        wrong = [one.oid for one in found if one.values and one.oid.startswith(_EXTENSIONS)]
        lab.check(not wrong, f"extensions as attributes of their own: {wrong}")


@case(
    "est.csrattrs.one-extension-request",
    covers=["rfc9908:3.2#one-extension-request"],
    kills=["est.csrattrs.two-extension-requests"],
    feature=FEATURE,
)
def one_extension_request(lab: EstLab) -> None:
    """There is one id-ExtensionReq at most."""
    for found in _requests(lab):
        lab.check(len(found) <= 1, f"{len(found)} of them")


@case(
    "est.csrattrs.one-extensions-value",
    covers=["rfc9908:3.2#one-extensions-value"],
    kills=["est.csrattrs.two-extensions-values"],
    feature=FEATURE,
)
def one_extensions_value(lab: EstLab) -> None:
    """id-ExtensionReq has one value, which is Extensions."""
    for one in (one for found in _requests(lab) for one in found):
        values = one.values or ()
        lab.check(len(values) == 1, f"{len(values)} values")
        for value in values:
            try:
                whole = all(extension.value is not None for extension in template.extensions(value))
            except Unreadable as unreadable:
                lab.check(False, str(unreadable))
            else:
                lab.check(whole, "an extension without a value is none")


@case(
    "est.csrattrs.distinct-extensions",
    covers=["rfc9908:3.2#distinct-extensions"],
    kills=["est.csrattrs.extension-twice"],
    feature=FEATURE,
)
def distinct_extensions(lab: EstLab) -> None:
    """No extension is there twice."""
    for one in (one for found in _requests(lab) for one in found):
        for value in one.values or ():
            oids = [extension.oid for extension in template.extensions(value)]
            lab.check(len(set(oids)) == len(oids), f"twice: {sorted(oid for oid in oids if oids.count(oid) > 1)}")


def _keys(lab: EstLab) -> list[list[Entry]]:
    every = [[one for one in found if one.oid in KEYS and one.values is not None] for found in _lists(lab)]
    if not any(every):
        raise Unsupported("no CSR attributes ask for a kind of key")
    return every


@case(
    "est.csrattrs.one-kind-of-key", covers=["rfc9908:3.2#key-attribute"], kills=["est.csrattrs.two-kinds-of-key"], feature=FEATURE
)
def one_kind_of_key(lab: EstLab) -> None:
    """A kind of key is asked for by exactly one attribute."""
    for found in _keys(lab):
        lab.check(len(found) <= 1, f"{[one.oid for one in found]}")


@case(
    "est.csrattrs.key-parameters", covers=["rfc9908:3.2#key-parameters"], kills=["est.csrattrs.curve-in-words"], feature=FEATURE
)
def key_parameters(lab: EstLab) -> None:
    """The values of a kind of key are parameters of it: a curve's OID, a size."""
    tags = {EC_PUBLIC_KEY: b"\x06", RSA_ENCRYPTION: b"\x02"}
    for one in (one for found in _keys(lab) for one in found):
        values = one.values or ()
        expected = tags.get(one.oid)
        lab.check(
            all(value[:1] == expected for value in values),
            f"{one.oid} has {[value.hex() for value in values]}",
        )


def _templates(lab: EstLab) -> list[Template]:
    """Every template. :raises Unsupported: if there is none."""
    every = [value for found in _lists(lab) for one in found if one.oid == TEMPLATE for value in one.values or ()]
    if not every:
        raise Unsupported("no CSR attributes have a template")
    return [template.parse(value) for value in every]


@case("est.template.version", covers=["rfc9908:3.4#version"], kills=["est.template.version-2"], feature=_TEMPLATE)
def version(lab: EstLab) -> None:
    """The version of a template is v1 (0)."""
    for one in _templates(lab):
        lab.check(one.version == b"\x02\x01\x00", f"the version is {one.version.hex()}")


@case(
    "est.template.subject",
    covers=["rfc9908:3.4#subject", "rfc9908:3.4#rdn-of-type", "rfc9908:3.4#blank-values"],
    kills=["est.template.empty-subject", "est.template.empty-value"],
    feature=_TEMPLATE,
)
def subject(lab: EstLab) -> None:
    """A subject is there if there is something to say of it, and what the client fills in has no value at all."""
    for one in _templates(lab):
        lab.check(one.subject is None or len(one.subject) > 0, "the subject is there, and empty")
        for type_, value in one.subject or ():
            lab.check(type_, "an attribute without a type", "rfc9908:3.4#rdn-of-type")
            lab.check(value is None or der.decode(value).octets, f"{type_} has an empty value", "rfc9908:3.4#rdn-of-type")
            lab.check(value is None or der.decode(value).octets, f"{type_} has an empty value", "rfc9908:3.4#blank-values")


@case(
    "est.template.key",
    covers=["rfc9908:3.4#no-key-requirement", "rfc9908:3.4#key-algorithm", "rfc9908:3.4#no-public-key"],
    kills=["est.template.public-key-of-nobody", "est.template.key-without-algorithm"],
    feature=_TEMPLATE,
)
def key(lab: EstLab) -> None:
    """A kind of key is said by its algorithm, without a public key unless an RSA key has to have a size."""
    every = [value for found in _lists(lab) for one in found if one.oid == TEMPLATE for value in one.values or ()]
    if not every:
        raise Unsupported("no CSR attributes have a template")
    for value in every:
        try:
            one = template.parse(value)
        except Unreadable as unreadable:
            lab.check(False, str(unreadable), "rfc9908:3.4#key-algorithm")
            continue
        lab.check(one.algorithm != "", "a key without an algorithm")
        if one.algorithm is not None and one.algorithm != RSA_ENCRYPTION:
            lab.check(one.public_key is None, f"a public key of {one.algorithm} is there", "rfc9908:3.4#no-public-key")


@case(
    "est.template.rsa-size",
    covers=["rfc9908:3.4#rsa-placeholder"],
    kills=["est.template.rsa-placeholder-empty"],
    feature=_TEMPLATE,
)
def rsa_size(lab: EstLab) -> None:
    """The size of an RSA key is said by a placeholder with a modulus of that length."""
    found = [one.public_key for one in _templates(lab) if one.algorithm == RSA_ENCRYPTION and one.public_key is not None]
    if not found:
        raise NotApplicable("no template asks for an RSA key of a size")
    for placeholder in found:
        try:
            modulus = der.decode(replies.elements(placeholder[1:], 0x30)[0]).octets
        except (Unreadable, IndexError, der.DerError):
            lab.check(False, f"the placeholder is no RSAPublicKey: {placeholder[:20].hex()}")
        else:
            bits = int.from_bytes(modulus, "big").bit_length()
            lab.check(bits >= 1024 and bits % 8 == 0, f"a modulus of {bits} bits")


def _kinds(one: Template) -> list[Entry]:
    return [entry for entry in one.attributes if entry.oid in (csr.EXTENSION_REQUEST, EXTENSION_REQUEST_TEMPLATE)]


@case(
    "est.template.extensions",
    covers=["rfc9908:3.4#one-kind-of-extensions", "rfc9908:3.4#one-template-value", "rfc9908:3.4#extension-request-preferred"],
    kills=["est.template.both-kinds-of-extensions", "est.template.two-values", "est.template.template-for-whole-extensions"],
    feature=_TEMPLATE,
)
def extensions(lab: EstLab) -> None:
    """Extensions are in one attribute with one value: id-aa-extensionReqTemplate if one of them has blanks, id-ExtensionReq if none has."""
    for one in _templates(lab):
        kinds = _kinds(one)
        lab.check(len(kinds) <= 1, f"extensions in {[kind.oid for kind in kinds]}")
        for kind in kinds:
            if kind.oid != EXTENSION_REQUEST_TEMPLATE:
                continue
            values = kind.values or ()
            lab.check(len(values) == 1, f"{len(values)} values", "rfc9908:3.4#one-template-value")
            every = [extension for value in values for extension in template.extensions(value)]
            lab.check(
                any(extension.is_partial for extension in every),
                f"nothing is to be filled in: {[extension.oid for extension in every]}",
                "rfc9908:3.4#extension-request-preferred",
            )
