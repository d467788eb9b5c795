#!/bin/sh
# Checks vectors with jq and openssl alone: signatures of CSRs and SCEP messages, and that what is enveloped opens with the keys that are here.
# Usage: check.sh [FOLDER]     exit status: 0 all as they say, 1 not
set -eu
folder=${1:-$(dirname "$0")/..}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
right=0
wrong=0

octets() { jq -r .octets "$1" | base64 -d >"$2"; }
body() { # of an HTTP message: what follows the first empty line
    octets "$1" "$work/http"
    at=$(grep -abo -m1 "$(printf '^\r')" "$work/http" | head -n1 | cut -d: -f1)
    tail -c +"$((at + 3))" "$work/http" >"$2"
}
told() { # ID, what was expected, what came
    if [ "$2" = "$3" ]; then right=$((right + 1)); else wrong=$((wrong + 1)); echo "$1: expected $2, got $3"; fi
}

for file in "$folder"/pkcs10/*.json; do
    octets "$file" "$work/csr"
    case $(jq -r .verdict "$file") in invalid) expected=refused ;; *) expected=verified ;; esac
    # openssl reads past what follows the request: its length is compared by hand.
    size=$(openssl asn1parse -inform DER -in "$work/csr" 2>/dev/null | sed -n '1s/.*hl= *\([0-9]*\) l= *\([0-9]*\).*/\1 \2/p')
    set -- ${size:-0 0}
    if [ "$(($1 + $2))" = "$(wc -c <"$work/csr")" ] && openssl req -inform DER -in "$work/csr" -noout -verify >/dev/null 2>"$work/said" \
        && ! grep -qi failure "$work/said"; then got=verified; else got=refused; fi
    # A version that is none is no matter of openssl's.
    if [ "$(jq -r .id "$file")" = pkcs10.generated.version-1 ]; then continue; fi
    told "$(jq -r .id "$file")" "$expected" "$got"
done

for file in "$folder"/scep/*.json; do
    [ "$(jq -r '.direction + .verdict + (.answer.outcome // "")' "$file")" = requestvalidgranted ] || continue
    case $(jq -r .octets "$file" | base64 -d | head -c 3) in POS) ;; *) continue ;; esac
    body "$file" "$work/message"
    if openssl cms -verify -noverify -binary -inform DER -in "$work/message" -out "$work/envelope" 2>/dev/null; then got=verified; else got=refused; fi
    told "$(jq -r .id "$file")" verified "$got"
    key=$(jq -r '.needs // [] | map(select(test("-ca\\.key$"))) | .[0] // ""' "$file")
    [ -n "$key" ] || continue
    if openssl cms -decrypt -provider default -provider legacy -binary -inform DER -in "$work/envelope" -inkey "$folder/keys/$key" \
        -out "$work/content" 2>/dev/null; then got=opened; else got=closed; fi
    told "$(jq -r .id "$file")" opened "$got"
done

echo "$right right, $wrong wrong"
[ "$wrong" = 0 ] && [ "$right" != 0 ]
