"""Whether CAs, templates and profiles make sense, alone and together: every fault with the path of its key, all of them at once.

What the types of ``profile.py`` cannot say is said here; what passes can be issued under, so no request meets a fault of its profile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from functools import partial

import msgspec
from cryptography import x509

from privca.base.durations import duration
from privca.base.names import profile_id, uri_name
from privca.base.rates import rate
from privca.base.refused import Refused
from privca.issuance.consistency_cmp import cmp_faults
from privca.issuance.consistency_est import est_faults
from privca.issuance.crl_scope import MAXIMUM_PARTS
from privca.issuance.lint import rfc5280
from privca.issuance.name_policy import NamePolicy
from privca.issuance.profile import CertificateAuthority, Names, Profile, Template
from privca.issuance.template import PLACED, extended_key_usage_oid, fitting_key_usage, object_identifier
from privca.pkix import der
from privca.pkix.requested import MAXIMUM_NAMES
from privca.pkix.rfc5280.names import attribute

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LONGEST = timedelta(days=100 * 365)
_SUBJECT = frozenset("CN O OU C ST L serialNumber emailAddress DC UID".split())
_METHODS = {
    "acme": frozenset({"account", "eab", "open"}),
    "est": frozenset({"code", "otp", "certificate", "approval"}),
    "scep": frozenset({"code", "otp", "certificate", "approval"}),
    "cmp": frozenset({"code", "otp", "certificate", "approval"}),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a configuration: its table, as ``profile.web``, the key in it, as ``names.permitted_ip``, and what is wrong."""

    table: str
    key: str
    detail: str

    @property
    def path(self) -> str:
        """The whole path of the key."""
        return f"{self.table}.{self.key}" if self.key else self.table

    def __str__(self) -> str:
        return f"[{self.table}]: {self.key}: {self.detail}" if self.key else f"[{self.table}]: {self.detail}"


def faults(
    authorities: Mapping[str, CertificateAuthority],
    templates: Mapping[str, Template],
    profiles: Mapping[str, Profile],
    *,
    lab: bool,
) -> list[Fault]:
    """Everything that is wrong with these together. :param lab: whether what only a lab has (method ``open``) may be there."""
    found = [fault for name in authorities for fault in authority_faults(name, authorities)]
    found += [fault for name, template in templates.items() for fault in template_faults(name, template)]
    for id, profile in profiles.items():
        found += profile_faults(id, profile, authorities, templates, lab=lab)
    default: dict[str, str] = {}
    for id, profile in profiles.items():
        if profile.default and profile.enabled and default.setdefault(profile.protocol, id) != id:
            found.append(
                Fault(
                    f"profile.{id}",
                    "default",
                    f"{default[profile.protocol]!r} is the default profile of {profile.protocol} already",
                )
            )
    return found


def authority_faults(name: str, authorities: Mapping[str, CertificateAuthority]) -> Iterator[Fault]:
    """What is wrong with one CA."""
    authority, at = authorities[name], f"ca.{name}"
    if not _NAME.fullmatch(name):
        yield Fault(at, "", "the name of a CA is [a-z0-9][a-z0-9-]{0,62}, since it stands in file names and URLs")
    if not authority.subject:
        yield Fault(at, "subject", "is empty; a CA has a name (RFC 5280 section 4.1.2.6)")
    for short, value in authority.subject.items():
        if short not in _SUBJECT:
            yield Fault(
                at, f"subject.{short}", f"is not a subject attribute{_meant(short, _SUBJECT)}; there are {_listed(_SUBJECT)}"
            )
        else:
            yield from _caught(at, f"subject.{short}", partial(attribute, short, value))
    crl = authority.crl
    lives = {"validity": authority.validity, "crl_life": authority.crl_life, "crl.delta_life": crl.delta_life}
    yield from _durations(at, {**lives, "ocsp.life": authority.ocsp.life})
    for key, number in (("crl.partitions", crl.partitions), *(("crl.former_partitions", one) for one in crl.former_partitions)):
        if not 1 <= number <= MAXIMUM_PARTS:
            yield Fault(at, key, f"a CRL has 1 to {MAXIMUM_PARTS} parts")
    yield from _durations(at, {"ocsp.archive": authority.ocsp.archive}, least=0)
    if authority.path_length is not None and authority.path_length < 0:
        yield Fault(at, "path_length", "is not negative (RFC 5280 section 4.2.1.9)")
    seen, above, depth = {name}, authority.parent, 0
    while above:
        if above not in authorities:
            yield Fault(at, "parent", f"{above!r} is not a CA{_meant(above, authorities)}")
            return
        if above in seen:
            yield Fault(at, "parent", "its parents form a circle; one CA has to be a root, without a parent")
            return
        limit = authorities[above].path_length
        if limit is not None and depth >= limit:
            yield Fault(at, "parent", f"path_length {limit} of {above!r} leaves no room for this CA")
        seen.add(above)
        above, depth = authorities[above].parent, depth + 1


def template_faults(name: str, template: Template) -> Iterator[Fault]:
    """What is wrong with one template."""
    at = f"template.{name}"
    for short, rule in template.subject.items():
        here = f"subject.{short}"
        if short not in _SUBJECT:
            yield Fault(at, here, f"is not a subject attribute{_meant(short, _SUBJECT)}; there are {_listed(_SUBJECT)}")
        elif rule.source == "fixed" and rule.rule != "forbidden":
            yield from _caught(at, f"{here}.value", partial(attribute, short, rule.value))
        elif rule.value:
            yield Fault(at, f"{here}.value", "is for source = 'fixed' alone")
    if template.names_required and not template.names:
        yield Fault(at, "names", "is empty, but names_required wants a name")
    for text in template.extended_key_usage:
        yield from _caught(at, "extended_key_usage", partial(extended_key_usage_oid, text))
    for text in template.policies:
        yield from _caught(at, "policies", partial(object_identifier, text))
    for key in ("key_usage", "extended_key_usage", "policies", "names"):
        if len(set(getattr(template, key))) != len(getattr(template, key)):
            yield Fault(at, key, "names something twice")
    seen: set[str] = set()
    for number, extra in enumerate(template.extensions):
        here = f"extensions[{number}]"
        yield from _caught(at, f"{here}.oid", partial(object_identifier, extra.oid))
        yield from _caught(at, f"{here}.value", partial(_der, extra.value))
        if extra.oid in {oid.dotted_string for oid in PLACED}:
            yield Fault(at, f"{here}.oid", "this extension has keys of its own in the template")
        if extra.oid in {oid.dotted_string for oid in rfc5280.FOR_CAS_ALONE}:
            yield Fault(at, f"{here}.oid", "this extension is for certificates of CAs alone (RFC 5280 section 4.2.1)")
        if extra.critical and extra.oid in {oid.dotted_string for oid in rfc5280.MUST_NOT_BE_CRITICAL}:
            yield Fault(at, f"{here}.critical", "this extension must not be critical (RFC 5280 section 4.2)")
        if extra.oid in seen:
            yield Fault(at, f"{here}.oid", "the extension is listed twice (RFC 5280 section 4.2)")
        seen.add(extra.oid)


def profile_faults(
    id: str, profile: Profile, authorities: Mapping[str, CertificateAuthority], templates: Mapping[str, Template], *, lab: bool
) -> Iterator[Fault]:
    """What is wrong with one profile, its template itself left aside."""
    at = f"profile.{id}"
    yield from _caught(at, "", partial(profile_id, id))
    if profile.issuer not in authorities:
        yield Fault(
            at,
            "issuer",
            f"{profile.issuer!r} is not a CA{_meant(profile.issuer, authorities)}; the CAs are {_listed(authorities)}",
        )
    template = templates.get(profile.template)
    if template is None:
        yield Fault(
            at,
            "template",
            f"{profile.template!r} is not there{_meant(profile.template, templates)}; the templates are {_listed(templates)}",
        )
    yield from _methods(at, profile, lab=lab)
    if profile.faults and not lab:
        yield Fault(at, "faults", "makes the server err, and exists only in a lab")
    options = profile.acme
    yield from _durations(
        at,
        {
            "validity": profile.validity,
            "waiting.life": profile.waiting.life,
            "acme.nonce_life": options.nonce_life,
            "acme.order_life": options.order_life,
            "acme.authorization_life": options.authorization_life,
            "acme.renewal_retry_after": options.renewal_retry_after,
            **{f"acme.{key}": text for key in ("renewal_before", "renewal_spread") if (text := getattr(options, key))},
        },
    )
    yield from _durations(
        at,
        {
            "renewal_window": profile.renewal_window,
            "backdate": profile.backdate,
            "acme.validation_interval": options.validation_interval,
            "acme.processing_time": options.processing_time,
        },
        least=0,
    )
    if options.refused_nonces < 0 or options.refused_nonces == 1:
        yield Fault(at, "acme.refused_nonces", "is 0, or at least 2: with 1 nobody is served")
    with suppress(ValueError):  # which was said above
        if duration(options.processing_time) > timedelta(seconds=30):
            yield Fault(at, "acme.processing_time", "is at most 30s: then another worker takes an order up")
    for key in ("orders_limit", "accounts_limit", "failures_limit"):
        if limit := getattr(options, key):
            yield from _caught(at, f"acme.{key}", partial(rate, limit))
    for key in ("terms_of_service", "website", "renewal_explanation"):
        # They are links in header fields, too.
        if url := getattr(options, key):
            yield from _caught(at, f"acme.{key}", partial(uri_name, url))
    for key, number in (
        ("acme.orders_per_page", options.orders_per_page),
        ("acme.validation_attempts", options.validation_attempts),
        ("names.maximum", profile.names.maximum),
        ("waiting.maximum", profile.waiting.maximum),
        ("waiting.retry_after", profile.waiting.retry_after),
    ):
        if number < 1:
            yield Fault(at, key, "is at least 1")
    if profile.protocol == "est":
        yield from [Fault(at, f"est.{key}", detail) for key, detail in est_faults(profile, lab=lab)]
    if profile.protocol == "cmp":
        yield from [Fault(at, f"cmp.{key}", detail) for key, detail in cmp_faults(profile)]
    if profile.names.maximum > MAXIMUM_NAMES:
        yield Fault(at, "names.maximum", f"is at most {MAXIMUM_NAMES}, which is what a CSR can ask for")
    if not 2048 <= profile.rsa_minimum <= profile.rsa_maximum <= 8192:
        yield Fault(at, "rsa_minimum", "rsa_minimum and rsa_maximum are in order and between 2048 and 8192")
    if not profile.keys:
        yield Fault(at, "keys", "is empty; name at least one kind of key")
    if template is not None and template.key_usage:
        unfit = [kind for kind in profile.keys if not fitting_key_usage(template.key_usage, kind)]
        if unfit and len(unfit) == len(profile.keys):
            yield Fault(at, "keys", "none of these kinds of key serves a key usage of the template")
    yield from _names(at, "names", profile.names)
    for by, names in profile.names_by.items():
        if by not in profile.authentication:
            yield Fault(at, f"names_by.{by}", "is for a method that is not in authentication")
        yield from _names(at, f"names_by.{by}", names)
        if not 1 <= names.maximum <= MAXIMUM_NAMES:
            yield Fault(at, f"names_by.{by}.maximum", f"is between 1 and {MAXIMUM_NAMES}")
    yield from _certificates(id, at, profile)
    yield from _scep(at, profile)


def _certificates(id: str, at: str, profile: Profile) -> Iterator[Fault]:
    """What certificates, ours and those of vendors, authenticate."""
    for key in ("certificate_profiles", "vendor_anchors"):
        if getattr(profile, key) and "certificate" not in profile.authentication:
            yield Fault(at, key, "is of no use without 'certificate' in authentication")
    for other in profile.certificate_profiles:
        yield from _caught(at, "certificate_profiles", partial(profile_id, other), f"{other!r}: ")
        if other == id:
            yield Fault(at, "certificate_profiles", "names the profile itself, whose certificates authenticate here anyway")
    for number, text in enumerate(profile.vendor_anchors):
        yield from _caught(at, f"vendor_anchors[{number}]", partial(_anchors, text))


def _anchors(text: str) -> None:
    """:raises ValueError: unless ``text`` holds certificates of CAs, in PEM."""
    found = x509.load_pem_x509_certificates(text.encode()) if text else []
    if not found:
        raise ValueError("there is no certificate in PEM")
    for certificate in found:
        try:
            ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except x509.ExtensionNotFound:
            ca = False
        if not ca:
            raise ValueError(f"{certificate.subject.rfc4514_string()} is not a CA (RFC 5280 section 4.2.1.9)")


def _scep(at: str, profile: Profile) -> Iterator[Fault]:
    options = profile.scep
    for key in ("digests", "ciphers"):
        listed = getattr(options, key)
        if not listed or len(set(listed)) != len(listed):
            yield Fault(at, f"scep.{key}", "names at least one, and none twice")
    if options.reply_digest not in ("request", *options.digests):
        yield Fault(at, "scep.reply_digest", "is none of scep.digests")
    if options.reply_cipher not in ("request", *options.ciphers):
        yield Fault(at, "scep.reply_cipher", "is none of scep.ciphers")
    if options.signing_time:
        yield from _durations(at, {"scep.signing_time": options.signing_time})
    if not 1000 <= options.password_iterations <= 1_000_000:
        yield Fault(at, "scep.password_iterations", "is between 1000 and 1000000 (RFC 8018 section 4.2)")


def _methods(at: str, profile: Profile, *, lab: bool) -> Iterator[Fault]:
    if not profile.authentication:
        yield Fault(at, "authentication", "is empty; name at least one method")
    if len(set(profile.authentication)) != len(profile.authentication):
        yield Fault(at, "authentication", "names a method twice")
    if profile.protocol == "acme":
        # Who asks proves each name; no client of ACME waits for a person, authenticates by a certificate, or renews.
        for key in ("approval_always", "names_by", "certificate_profiles", "vendor_anchors", "rename"):
            if getattr(profile, key):
                yield Fault(at, key, "is not for acme")
    for method in profile.authentication:
        if method not in _METHODS[profile.protocol]:
            yield Fault(
                at,
                "authentication",
                f"{method!r} is not for {profile.protocol}; choose from {_listed(_METHODS[profile.protocol])}",
            )
        elif method == "open" and not lab:
            yield Fault(at, "authentication", "'open' issues to anybody and exists only in a lab")


def _names(at: str, table: str, names: Names) -> Iterator[Fault]:
    """Each pattern alone, by the code that will read it."""
    for key in names.__struct_fields__:
        patterns = getattr(names, key)
        if not isinstance(patterns, tuple):
            continue
        for pattern in patterns:
            alone = msgspec.structs.replace(Names(), **{key: (pattern,)})
            yield from _caught(at, f"{table}.{key}", partial(NamePolicy, alone, (), required=False), f"{pattern!r}: ")
            if key.endswith("_subject") and pattern.partition("=")[0] not in _SUBJECT:
                yield Fault(at, f"{table}.{key}", f"{pattern!r}: not a subject attribute; there are {_listed(_SUBJECT)}")


def _durations(at: str, texts: Mapping[str, str], *, least: int = 1) -> Iterator[Fault]:
    """:param least: the shortest duration in seconds."""
    for key, text in texts.items():
        try:
            length = duration(text)
        except ValueError as error:
            yield Fault(at, key, str(error))
            continue
        if not timedelta(seconds=least) <= length <= _LONGEST:
            yield Fault(at, key, f"{text!r} is not between {least}s and 100y")


def _der(text: str) -> None:
    der.children(der.tlv(0x30, bytes.fromhex(text)), clause="RFC 5280 section 4.2")
    if not text:
        raise ValueError("the value of an extension is DER")


def _caught(at: str, key: str, read: Callable[[], object], got: str = "") -> Iterator[Fault]:
    """The fault by which a value cannot be read, if there is one."""
    try:
        read()
    except (Refused, ValueError) as error:
        yield Fault(at, key, f"{got}{error}")


def _meant(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)) or "none"
