#!/bin/sh
# The benches, on documents that they make themselves, so that they go on working.  TAP.
S=$(mktemp -d) || exit 1
trap 'rm -rf "$S"' EXIT
n=0
ok() { # NAME, then a command that must succeed
	name=$1
	shift
	n=$((n + 1))
	if "$@" >"$S/out" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		tail -40 "$S/out" | sed 's/^/# /'
	fi
}
PYTHON=${PYTHON:-python3}

planted() { # a planting in each format, each of which can be made
	"$PYTHON" "$SOURCE/tests/bench/planted" --build "$BUILD" --per 2 --verbose --verify 20 >"$S/planted"
	cat "$S/planted"
	tail -1 "$S/planted" | grep -Eq '^planted: [1-9][0-9]* found, [0-9]+ told as unread, [0-9]+ in structural places, [0-9]+ silent of [4-9][0-9]$' \
		&& ! grep -Eq '^(not made|differs): |: not used: ' "$S/planted"
}

ok planted planted
echo "1..$n"
