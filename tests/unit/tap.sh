# Sourced by what is written for the shell: a scratch folder $S, and rows of TAP.  Who sources it ends with "echo 1..$n".
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
# $S/missent.conf, with the policies that come with missent, for mail of billing@seller.example.
make_site() {
	mkdir "$S/policies" "$S/state"
	cp "$SOURCE"/policies/*.conf "$S/policies/"
	rm "$S/policies/kinds-"*
	sed -i 's/"billing@example.com"/"billing@example.com", "billing@seller.example"/' "$S/policies/invoices.conf"
	cat >"$S/missent.conf" <<CONF
mode = enforce
state-dir = "$S/state"
socket = "unix:$S/missent.sock"
reader { program = "$BUILD/missent-reader" }
CONF
}
missent() { "$BUILD/missent" -c "$S/missent.conf" "$@"; }
