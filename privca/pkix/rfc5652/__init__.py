"""The Cryptographic Message Syntax (RFC 5652): SignedData, EnvelopedData, and AuthEnvelopedData (RFC 5083).

One module for each concern: ``content`` (ContentInfo), ``identifiers`` (how signers and recipients are named), ``signed_data`` and
``signing``, ``enveloped_data`` with ``recipients`` (as received), ``opening`` (what a recipient does), ``wrapping`` (what a sender does),
``key_encryption`` (what both compute) and ``content_encryption``. Algorithms by name are in :mod:`privca.pkix.algorithms`. BER is accepted
and turned into DER (``ber``); DER is what we send.

Decryption is no oracle. Whatever does not decrypt is one refusal with one text (``enveloped_data.undecryptable``), which names neither
step nor cause. A content-encryption key that cannot be had, or that has the wrong length, is replaced by a random one (RFC 3218 section
2.3.2), and the content is decrypted with that: a wrong PKCS #1 v1.5 padding, a wrong key and a wrong content take the same steps. The
private key's own port gives unforeseeable octets for a wrong PKCS #1 v1.5 padding (implicit rejection), so that it tells nothing either.
What is refused with its own words is only what everybody can read in the message: algorithms, counts, lengths. Who reads the content
refuses what is wrong in it with the same words as this package, if an attacker could tell the two apart; and verifies the signature of
whoever sent the message before anything is decrypted.
"""
