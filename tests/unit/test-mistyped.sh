#!/bin/sh
# What is mistyped at a shell, or done by somebody who may not: never taken for "there is nothing".  TAP.
S=$(mktemp -d) || exit 1
trap 'rm -rf "$S"' EXIT
chmod 0711 "$S"
n=0
ends() { # NAME CODE WORDS COMMAND...: ends with CODE and says WORDS
	name=$1 code=$2 words=$3
	shift 3
	n=$((n + 1))
	"$@" >"$S/said" 2>&1 </dev/null
	got=$?
	if [ $got = "$code" ] && grep -qF -e "$words" "$S/said"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		echo "# exit $got, wanted $code and \"$words\""
		sed 's/^/# /' "$S/said"
	fi
}
without() { # NAME WORDS COMMAND...: does not say WORDS
	name=$1 words=$2
	shift 2
	n=$((n + 1))
	if "$@" 2>&1 </dev/null | grep -F -e "$words" >"$S/said"; then
		echo "not ok $n - $name"
		sed 's/^/# /' "$S/said"
	else
		echo "ok $n - $name"
	fi
}
mkdir "$S/policies" "$S/state"
chmod 0700 "$S/state"
cp "$SOURCE"/policies/*.conf "$S/policies/"
rm "$S/policies/kinds-"*
sed -i 's/"billing@example.com"/"billing@seller.example"/' "$S/policies/invoices.conf"
settings() { # FILE and lines more
	into=$1
	shift
	printf 'mode = enforce\nstate-dir = "%s/state"\nsocket = "unix:%s/state/missent.sock"\nreader { program = "%s/missent-reader" }\n' \
		"$S" "$S" "$BUILD" >"$into"
	printf '%s\n' "$@" >>"$into"
}
settings "$S/missent.conf"
missent() { "$BUILD/missent" -c "$S/missent.conf" "$@"; }
missent directory key >/dev/null
printf 'account,kind,value\nALPHA,recipient,@alpha.example\nALPHA,customer-number,C-10001\n' >"$S/m.csv"
missent directory import "$S/m.csv" >/dev/null 2>&1

ends 'directory remove: an account that is none' 1 'did you mean "ALPHA"?' missent directory remove --yes --why x ALFA
ends '... nor another case' 1 'did you mean "ALPHA"?' missent directory remove -n alpha
ends '... an option mistyped' 64 'did you mean --dry-run?' missent directory remove --dry-rn ALPHA
ends '... two of them' 64 'usage: missent directory remove' missent directory remove -n ALPHA BETA
ends '... all that there is' 65 'nothing would be left' missent directory remove --yes --why x ALPHA
ends '... nor would it be' 65 'it would be refused' missent directory remove -n ALPHA

# An account, a policy, a sender, a kind that is none.
ends 'incident about: a typing error is no answer' 65 'did you mean "ALPHA"?' missent incident about ALFA
ends '... nor is another case' 65 'did you mean "ALPHA"?' missent incident about alpha
ends '... nor for programs' 65 'no account that the directory knows' missent incident about --json NOBODY
ends '... an account that is one' 0 'nothing of this account' missent incident about ALPHA
ends 'incident report: a policy that is none' 64 'did you mean "invoices"?' missent incident report --from -1d --policy invoicess
ends '... one that is, without mail' 0 'no message of what was asked for' missent incident report --from -1d --policy invoices
ends '... a sender that is none' 64 'is no address or domain' missent incident report --from -1d --sender billing
ends '... an address without its domain' 64 'is no address or domain' missent incident report --from -1d --sender billing@
ends '... a kind that is none' 64 'did you mean "customer-number"?' missent incident report --from -1d --identifier customer-numer=C-10001
ends '... a value with a = in it' 0 'one identifier' missent incident report --from -1d --identifier 'C=10001'
ends '... two forms at once' 64 'not both' missent incident report --from -1d --json --html
ends 'forget: a typing error is not done' 1 'did you mean "ALPHA"?' missent forget --why x ALFA
ends '... nothing known of one that is' 1 'nothing was known of "ALPHA"' missent forget --why x ALPHA

ends 'directory put: an account that is new is told' 0 'account "ALFA" is new' missent directory put ALFA customer-number C-20001
without '... once' 'is new' missent directory put ALFA customer-number C-20002
without '... nor one that is known' 'is new' missent directory put ALPHA customer-number C-20003
missent directory delete ALFA customer-number C-20001 >/dev/null
missent directory delete ALFA customer-number C-20002 >/dev/null
# One row as an import tells of it.
ends 'directory put: everybody at a provider' 0 'everybody there would receive' missent directory put ALPHA recipient @gmail.com
ends '... as the own company' 65 'may receive anything' missent directory put house recipient '*@GMail.com'
ends '... nor by an import' 65 'may receive anything' sh -c "echo house,recipient,@co.uk | $BUILD/missent -c $S/missent.conf directory import -"
ends '... below a public suffix' 0 'public suffix' missent directory put ALPHA recipient @co.uk
ends '... a placeholder' 0 'placeholder' missent directory put ALPHA customer-number 00000
ends '... for an account that is none' 0 'did you mean "ALPHA"?' missent directory put ALPHA receives-for ALPA
without '... what is fine' 'warning' missent directory put ALPHA recipient anna@gmail.com
ends '... an address with a scheme' 65 'without mailto:' missent directory put ALPHA recipient mailto:anna@alpha.example
for row in 'recipient @gmail.com' 'recipient @co.uk' 'customer-number 00000' 'receives-for ALPA' 'recipient anna@gmail.com'; do
	without "... deleted: $row" 'warning' missent directory delete ALPHA $row
done
printf '{"id":1,"op":"put","account":"ALPHA","kind":"recipient","value":"@gmail.com"}\n{"id":2,"op":"delete","account":"ALPHA","kind":"recipient","value":"@gmail.com"}\n' >"$S/changes"
ends 'directory follow: everybody at a provider' 0 'changes:1: warning: a domain at which anybody' missent directory follow --source crm "$S/changes"
missent directory import --max-shrink 100 --forget-positions "$S/m.csv" >/dev/null 2>&1
ends 'directory delete: of an account that is none' 1 'did you mean "ALPHA"?' missent directory delete ALPA customer-number C-10001
ends '... of one that is, and has it not' 0 'was not there' missent directory delete ALPHA customer-number C-99999
ends '... nothing like it' 1 'knows no account "Zebra"' missent directory delete Zebra customer-number C-10001

# A mapping that was damaged, and one that comes back before the newer one was ever used.
cp "$S/state/directory.db" "$S/kept.db"
printf 'account,kind,value\nALPHA,recipient,@alpha.example\nALPHA,customer-number,C-10009\n' >"$S/newer.csv"
missent directory import --max-shrink 100 --forget-positions "$S/newer.csv" >/dev/null 2>&1
cp "$S/kept.db" "$S/state/directory.db"
ends 'a mapping of before' 78 'an older copy has come back' missent directory lookup customer-number C-10001
ends '... is accepted' 0 'accepted' missent directory accept
ends '... and used' 0 'ALPHA' missent directory lookup customer-number C-10001
head -c 6000 /dev/zero | tr '\0' x | dd of="$S/state/directory.db" conv=notrunc 2>/dev/null
ends 'a mapping that is damaged: what to do' 78 'move it away' missent directory stats
mv "$S/state/directory.db" "$S/damaged.db"
ends '... is done' 0 'in use' missent directory import --max-shrink 100 "$S/m.csv"

# A trail that is named and is none.
for command in stats 'policy report' 'policy lint' 'incident report --from -1d' 'directory learn --with-history --from /dev/null'; do
	ends "missent $command: another trail that is none" 65 "$S/none.jsonl: there is no audit trail" missent $command --trail "$S/none.jsonl"
done
without 'stats: no trail yet is no fault' 'there is no audit trail' missent stats
printf '{"time":"2026-11-20T08:00:00.000Z","type":"message","verdict":"deliver"}\n' >"$S/one.jsonl"
sed s/11-20T/11-25T/ "$S/one.jsonl" >"$S/two.jsonl"
for json in '' --json; do
	ends "stats $json: of a time before the trail nothing is known" 66 begins missent stats $json --trail "$S/one.jsonl" --since 2026-11-01 \
		--until 2026-11-10
done
ends 'stats: a trail that begins within it' 0 'begins at 2026-11-20 08:00:00 UTC' missent stats --trail "$S/one.jsonl" --since 2026-11-01 \
	--until 2026-11-21
without '... or before it' begins missent stats --trail "$S/one.jsonl" --since 2026-11-20T08:00:00Z --until 2026-11-21
ends '... several: from when on all are known' 0 'begins at 2026-11-25' missent stats --trail "$S/one.jsonl" --trail "$S/two.jsonl" \
	--since 2026-11-01 --until 2026-11-21
for action in hold delay; do
	sed "s/\"verdict.*/\"verdict\":\"deliver\",\"policies\":[\"invoices\"],\"reasons\":[{\"policy\":\"invoices\",\"reason\":\"unproven\",\"kind\":\"$action\",\"action\":\"$action\"}]}/" \
		"$S/one.jsonl"
done >"$S/acts.jsonl"
ends 'policy report: shares of what would be held and of what would be delayed are of both' 1 '(50.0 % of what would not go' \
	missent policy report --trail "$S/acts.jsonl" --since 2026-11-01 invoices

# What tells nothing does not end as if it did.
printf 'X: y\n\nz\n' >"$S/none.eml"
ends 'policy test: no message could be judged' 65 'no message could be judged' missent policy test --against "$S/none.eml"
ends '... rows without what has them' 64 '--rows is of --json' missent policy test --against "$S/none.eml" --rows
ends 'policy report: a share that is none' 64 '--most-held 0 to 100 per cent' missent policy report --most-held -1
printf 'garbage\n' >"$S/bad.csv"
ends 'audit rejudge: the file that is wrong' 65 "$S/bad.csv: line 1: " missent audit rejudge --directory "$S/bad.csv"
without 'directory export: nothing before it fails' 'account,kind' missent directory export

# A word too many is not left out.
for command in doctor stats reload 'directory stats' 'directory accept' 'directory export' 'directory key' 'held causes' 'held stats' \
	'held work' 'review users' 'review migrate' 'config check' 'policy lint' status resume 'audit verify' 'incident register'; do
	ends "missent $command x" 64 '"x" is one' missent $command x
done
ends 'a token for no day' 64 '--days 0: from 1 to 36500' missent review token add --days 0 x
ends '... for one' 0 'mst_' missent review token add --days 1 x

# A variable of a shell that is not set: no option, and no argument, takes it for "any" or "all".
missent completion bash | cut -f1 | grep -E '^[a-z]' | grep -v '^complete' | sort -u >"$S/commands"
while read -r command; do
	missent $command --help </dev/null 2>/dev/null | grep -E '^  (-[a-zA-Z], )?--[a-z-]+=[A-Z]' | grep -vF '""' | grep -oE -e '--[a-z-]+=' >"$S/options"
	while read -r option; do
		ends "missent $command $option" 64 "${option%=}" missent $command "$option"
	done <"$S/options"
	# what needs other words too says so before it looks at this one
	ends "missent $command \"\"" 64 missent missent $command ""
done <"$S/commands"
ends '... and all of them were tried' 0 'held release' cat "$S/commands"
: >"$S/empty.eml"
ends '... "" where it means something, which is said' 0 'from <> (a bounce) to 1 recipient' missent check --from '' --to a@alpha.example --client '' "$S/empty.eml"

# What missentd would let by is judged all the same, and that is told.
ends 'check: from where nothing is outgoing' 0 'would let it by' missent check --from '' --to a@alpha.example --client 203.0.113.9 "$S/empty.eml"
ends '... as JSON, too' 0 'would let it by' missent check --json --from '' --to a@alpha.example --client 203.0.113.9 "$S/empty.eml"
without '... from who has logged in' 'let it by' missent check --from '' --to a@alpha.example --client 203.0.113.9 --auth-user anna "$S/empty.eml"
without '... from this host' 'let it by' missent check --from '' --to a@alpha.example --client '' "$S/empty.eml"
without '... from where is not said' 'let it by' missent check --from '' --to a@alpha.example "$S/empty.eml"

# What a disk error makes of a file system: the files are there, and are not to be made anew.
mkdir "$S/ro"
if mount -t tmpfs none "$S/ro" 2>/dev/null; then
	mkdir -m 0700 "$S/ro/state"
	printf 'state-dir = "%s/ro/state"\npolicy-dir = "%s/policies"\nhost = "mx"\n' "$S" "$S" >"$S/ro/missent.conf"
	printf 'account,kind,value\nA,customer-number,C10001\nA,recipient,a@a.example\n' >"$S/ro/m.csv"
	"$BUILD/missent" -c "$S/ro/missent.conf" directory key >"$S/said" 2>&1
	"$BUILD/missent" -c "$S/ro/missent.conf" directory import "$S/ro/m.csv" >"$S/said" 2>&1
	"$BUILD/missent" -c "$S/ro/missent.conf" held list >"$S/said" 2>&1
	mount -o remount,ro "$S/ro"
	for command in 'held list' 'directory stats' 'directory put A customer-number C10002'; do
		ends "$command: a file system that was made read-only" 75 'Read-only file system' "$BUILD/missent" -c "$S/ro/missent.conf" $command
	done
	umount "$S/ro"
else
	for command in 'held list' 'directory stats' 'directory put A customer-number C10002'; do
		n=$((n + 1))
		echo "ok $n - $command: a file system that was made read-only # SKIP nothing may be mounted here"
	done
fi

# An address that is none is judged as it stands, for an MTA may have it: what was meant may be another.
for word in anna 'a b' anna@ @ @alpha.example 'a@alpha.example,b@alpha.example' 'a@alpha.example;b@alpha.example' mailto:a@alpha.example \
	'a@alpha..example' 'a@*.example' '*@alpha.example' 'a@@alpha.example' '<anna>'; do
	for how in 'check --to' 'explain --to' 'explain --to b@alpha.example --from'; do
		ends "$how $word" 0 "--${how##*--}: \"$word\": " missent $how "$word" "$S/empty.eml"
	done
done
for word in a@alpha.example 'Anna <a@alpha.example>' '<a@alpha.example>' 'a+b@alpha.example' '@mx.example:a@alpha.example' 'a%alpha.example@mx.example' \
	'a@[192.0.2.1]' 'bücher@alpha.example'; do
	for option in --to --from; do
		without "check $option $word" "$option:" missent check --to b@alpha.example $option "$word" "$S/empty.eml"
	done
done
without "check: a bounce" '--from:' missent check --to b@alpha.example --from '<>' "$S/empty.eml"

# Numbers that nobody means.
ends 'held list: without its helper the queue is not looked at: there may be more' 75 'list: Failed to execute' missent held list
ends '... the records are listed all the same' 75 '0 messages' missent held list
ends '... as JSON, too' 75 'on hold in the MTA' missent held list --json
ends '... which the checks tell, and what to do' 0 'say where it is (release-program)' missent config check
mv "$S/policies/kinds.conf" "$S/kinds.away"
ends 'held list: what cannot be looked for while kinds are wrong is told, and the rest searched' 78 '0 messages' missent held list --search C-10001
ends '... and why' 78 'only addresses, accounts and queue IDs' missent held list --search C-10001
mv "$S/kinds.away" "$S/policies/kinds.conf"
ends 'held list: no line' 64 'at least 1' missent held list --limit 0
ends 'held release: to nobody who may not have it' 64 'at least 1' missent held release --others 0 x
ends '... to fewer than nobody' 64 'at least 1' missent held release --others -1 x
ends 'stats: no line' 64 'at least 1' missent stats --limit 0
ends 'reload: the process nobody is' 64 'at least 1' missent reload --pid 0

# What is needed is told by the name that is typed.
ends 'held note: no note' 64 '--why TEXT is needed' missent held note x
ends 'held may-receive: no recipient' 64 '--recipient ADDRESS is needed' missent held may-receive x
ends '... that is no address' 64 '--recipient: "beta" is no address' missent held may-receive --recipient beta --account ALPHA x

# A time that is none, or is still to come, is not a time in which nothing happened.
for command in 'incident report --from' 'incident register --from' 'audit export --ecs --from' 'stats --since' 'policy report --since' \
	'audit reconcile /dev/null --since' "audit rejudge --directory $S/m.csv --from" 'directory learn --from /dev/null --since'; do
	ends "missent $command 2099-01-01" 64 'is still to come' missent $command 2099-01-01
	ends "missent $command soon" 64 'soon' missent $command soon
done
for command in 'incident report --from -1d --to' 'stats --since -1d --until' 'policy report --since -1d --until' 'audit export --ecs --from -1d --to' \
	"audit rejudge --directory $S/m.csv --from -1d --to"; do
	ends "missent $command -2d: ends before it begins" 64 'a day ends with the next one' missent $command -2d
done
ends 'incident report: the clocks do not begin tomorrow' 64 '--known-at is still to come' missent incident report --from -1d --known-at 2099-01-01

# What is not set up yet says how it is, and help is read in columns.
settings "$S/fresh.conf"
sed -i "s|/state\"|/none\"|" "$S/fresh.conf"
ends 'held list: before anything was set up' 78 'missent init' "$BUILD/missent" -c "$S/fresh.conf" held list
ends 'help: arguments and words in columns' 0 '  put           ACCOUNT KIND VALUE  add one entry' missent directory --help
ends '... where there are none' 0 '  prove       a proof' missent audit --help
ends '... of a verb: what it is stands below its arguments' 0 'judge messages offline; exit 0: would be delivered' missent check --help
ends 'another noun'\''s verb' 64 'did you mean "missent held release"?' missent release x
ends '... mistyped' 64 'did you mean "missent directory import"?' missent improt x.csv
ends '... below a noun' 64 'did you mean "missent directory import"?' missent held import x.csv
ends '... of several' 64 'did you mean "missent directory lint" or "missent policy lint"?' missent lint
ends '... a command of its own below a noun' 64 'did you mean "missent doctor"?' missent policy doctor
ends '... one of its own that is like it comes first' 64 'did you mean "lookup"?' missent directory lokup
without '... a word that is like none' 'did you mean' missent frobnicate
ends 'guard reset: an ID that is none' 65 'see missent guard status' missent guard reset --why x abc
ends 'completion: the words alone' 0 'put	add one entry' missent completion bash

# The remedy of a message can be done.
settings "$S/hook.conf" "desk { webhook-url = \"https://desk.example/missent\" }"
hook() { "$BUILD/missent" -c "$S/hook.conf" "$@"; }
ends 'a webhook without a key' 78 'missent review key FILE' hook config check
ends '... for which one is made' 0 'made' hook review key "$S/webhook.key"
for file in 'desk { webhook-key-file }' 'desk { key-file }' 'review { reasons-file }' 'incident { notice-templates }' \
	'metrics { textfile }' 'guard { key-file-before }'; do
	block=${file%% *} key=${file#*\{ }
	settings "$S/named.conf" 'host = "mx"' "$block {" "${key% \}} = \"$S/none/none\"" "}"
	ends "config check: $file that is not there" 1 "$file $S/none" "$BUILD/missent" -c "$S/named.conf" config check
done
settings "$S/agent.conf" "desk { socket = \"$S/agent.sock\" }"
ends 'status: an agent that is not at work' 1 'systemctl start missent-agent' "$BUILD/missent" -c "$S/agent.conf" status

# The first command of all does nothing for a word that it does not know.
ends 'quickstart --help' 0 'usage: contrib/quickstart [--review]' "$SOURCE/contrib/quickstart" --help
ends 'check --help' 0 'contrib/check --other' "$SOURCE/contrib/check" --help
ends 'check: an option that is none' 64 'nothing was done' "$SOURCE/contrib/check" --stok
ends 'deb --help' 0 'contrib/deb [--check]' "$SOURCE/contrib/deb" --help
ends 'install-packages --help' 0 'Sections: build ' "$SOURCE/contrib/install-packages" --help
ends 'quickstart: an option that is none' 64 'nothing was done' "$SOURCE/contrib/quickstart" --reveiw

# What is no file where one is to be: it is named, and nothing is waited for.
mkdir "$S/files" "$S/files/policies"
cp "$S/policies/"* "$S/files/policies/"
settings "$S/files/missent.conf"
cp "$S/site.key" "$S/files/"
printf 'include = {"more.inc"}\nlist "senders" {\n file = "senders.txt"\n}\npolicy "a" {\n sender = {"list:senders"}\n}\n' >"$S/files/policies/a.conf"
printf 'test "t" {\n to = {"a@alpha.example"}\n file = "t.eml"\n expect = deliver\n}\n' >"$S/files/policies/more.inc"
printf 'anna@seller.example\n' >"$S/files/policies/senders.txt"
cp "$S/empty.eml" "$S/files/policies/t.eml"
filed() { timeout 20 "$BUILD/missent" -c "$S/files/missent.conf" "$@"; }
without 'policy lint: what a test has as its message is read' 'not-read' filed policy lint --no-trail
for file in missent.conf policies/a.conf policies/kinds.conf policies/more.inc policies/senders.txt site.key; do
	mv "$S/files/$file" "$S/away"
	for command in 'mkdir' 'mkfifo' 'ln -s /none/none' "ln -s ${file##*/}" ': >'; do
		eval "$command \"$S/files/$file\""
		[ "$command" != ': >' ] || chmod 0600 "$S/files/$file"
		ends "$file: $command" 78 "$file: " filed check --to b@alpha.example "$S/empty.eml"
		rm -r "$S/files/$file"
	done
	ends "$file: gone" "$([ "$file" = policies/a.conf ] && echo 0 || echo 78)" "$([ "$file" = policies/a.conf ] || echo "$file: ")" \
		filed check --to b@alpha.example "$S/empty.eml"
	mv "$S/away" "$S/files/$file"
done
mv "$S/files/missent.conf" "$S/away"
ends 'missent.conf: gone, and what to do' 78 'missent init makes one; -c names another' filed config check
mv "$S/away" "$S/files/missent.conf"
without 'kinds.conf in a circle is not to be copied there' 'copy the kinds.conf' sh -c "mv $S/files/policies/kinds.conf $S/away &&
	ln -s kinds.conf $S/files/policies/kinds.conf; $BUILD/missent -c $S/files/missent.conf config check; mv $S/away $S/files/policies/kinds.conf"

# Where what a command asks is away, nothing is told as if there were nothing (missent(1), EXIT STATUS).
settings "$S/away.conf" "directory {" "backend = redis" "redis = \"127.0.0.1:1\"" "}"
settings "$S/keyless.conf" "directory {" "key-file = \"$S/none.key\"" "}"
settings "$S/stateless.conf"
sed -i "s|$S/state|$S/no-state|" "$S/stateless.conf"
settings "$S/recordless.conf" "directory {" "sqlite-file = \"$S/state/directory.db\"" "}"
sed -i "s|state-dir.*|state-dir = \"$S/recordless\"|" "$S/recordless.conf"
mkdir -p "$S/recordless/held.db"
away() { # CONF CODE COMMAND...
	conf=$1 code=$2
	shift 2
	ends "$conf away: missent $*" "$code" '' "$BUILD/missent" -c "$S/$conf.conf" "$@"
}
cat >"$S/right.eml" <<END
From: <billing@seller.example>
To: a@alpha.example

customer number C-10001
END
for command in 'directory lookup customer-number C-10001' 'directory stats' 'directory stats --json' 'directory lint' 'directory verify' \
	'directory put ALPHA customer-number C-10009' 'directory remove --yes --why x ALPHA' 'directory delete ALPHA customer-number C-10001' "directory import $S/m.csv" \
	'directory accept' 'guard status' 'forget --why x ALPHA' "policy test --against $S/right.eml"; do
	away away 75 $command
	away keyless 78 $command
	away stateless 78 $command
done
for command in check explain 'explain --json'; do
	away away 75 $command "$S/right.eml"
	away keyless 78 $command "$S/right.eml"
done
for account in ALPHA NOBODY; do
	ends "away: incident about $account" 75 'whether it is an account is not known' "$BUILD/missent" -c "$S/away.conf" incident about $account
done
for command in 'held list' 'held causes' 'held stats' 'held show x' 'held release --yes -w x x' 'held rejudge x' 'held adopt' 'held work' \
	'explain x' 'forget --why x ALPHA' 'incident report --from -1d' 'incident register' 'incident about ALPHA'; do
	away recordless 78 $command
done
away recordless 2 audit reconcile /dev/null
away stateless 65 audit verify
away stateless 66 audit export --ecs
away stateless 65 audit acts
for conf in away keyless stateless; do
	away $conf 1 status
	away $conf 2 doctor --only directory
done

# What could not be written is no success; who reads no further wanted no more.
for command in '--help' 'config check' 'directory stats' 'directory import --help' 'completion bash' 'stats --json' '--version'; do
	ends "a full disk: missent $command" 74 'standard output: ' sh -c \
		"$BUILD/missent -c $S/missent.conf $command >/dev/full"
	ends "... closed by who reads: missent $command" 0 'no fault' sh -c \
		"mkfifo $S/pipe; exec 4<>$S/pipe 5>$S/pipe 4<&-; $BUILD/missent -c $S/missent.conf $command 2>&1 >&5; code=\$?; rm $S/pipe
		[ \$code != 74 ] && echo no fault"
done
# ... and nothing is said of it that is not said to one who reads on, however long the list is.
for i in $(seq 60); do missent directory put ALPHA customer-number "C-7$i" >/dev/null; done
for command in 'audit acts' 'audit acts --json' 'audit export --ecs' 'config show' 'config show --json' 'doctor --list' 'completion zsh' \
	'policy lint --list' 'held list --all' 'held list --all --json' 'stats --json' 'directory lint --json' 'review users'; do
	"$BUILD/missent" -c "$S/missent.conf" $command 2>"$S/all" >/dev/null
	ends "who reads no further is told no more: missent $command" 0 same sh -c \
		"mkfifo $S/pipe; exec 4<>$S/pipe 5>$S/pipe 4<&-; $BUILD/missent -c $S/missent.conf $command 2>$S/some >&5; rm $S/pipe
		cmp $S/all $S/some && echo same || cat $S/some"
done
for option in 'directory import --dry-run=no -' 'stats --json=yes' 'held list --json='; do
	ends "missent $option" 64 'takes no value' "$BUILD/missent" -c "$S/missent.conf" $option
done

# What says how a file is to be read, and no file.
for option in map=id=customer-number account=id encoding=UTF-16 'delimiter=;'; do
	for verb in lint verify; do
		ends "directory $verb --$option, of no file" 64 'name it (' "$BUILD/missent" -c "$S/missent.conf" directory $verb "--$option"
	done
done
for command in 'import' 'import -n' 'lint' 'lint --json' 'verify --against' 'verify --json --against' 'follow --source other' 'follow --wait --source other'; do
	ends "directory $command, of a folder" 66 "$S/policies: it is a folder; name one file" \
		timeout 30 "$BUILD/missent" -c "$S/missent.conf" directory $command "$S/policies"
	ends "directory $command, of no file" 66 "$S/none.csv: No such file" "$BUILD/missent" -c "$S/missent.conf" directory $command "$S/none.csv"
done
ends 'directory lint --many -1' 64 '1 or more' "$BUILD/missent" -c "$S/missent.conf" directory lint --many=-1
ends 'directory lint --days -1' 64 '0 or more' "$BUILD/missent" -c "$S/missent.conf" directory lint --days=-1

# Who may not is told so, and who may.
chmod 0644 "$S"/*.conf "$S"/policies/*
chmod 0755 "$S/policies"
as_other() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
other() { as_other "$BUILD/missent" -c "$S/missent.conf" "$@"; }
# Where only root may enter what was built, or the scratch folder, nobody else can be tried.
if [ "$(id -u)" = 0 ] && as_other test -x "$BUILD/missent" 2>/dev/null && as_other test -r "$S/missent.conf"; then
	cp "$S/missent.conf" "$S/closed.conf"
	chmod 0600 "$S/closed.conf"
	for command in stats 'policy report' 'policy lint' 'audit verify'; do
		ends "another user: missent $command" 77 'run it as root, or as the user' other $command
	done
	# what is behind a door that is closed is not known to be missing
	chmod 0700 "$S/state"
	: >"$S/state/missent.sock"
	for check in directory daemon; do
		ends "another user: doctor --only $check" 3 'Permission denied' other doctor --only $check
	done
	without '... and config check' 'nothing was ever imported' other config check
	rm "$S/state/missent.sock"
	for program in missentd missent-agent missent-review; do
		ends "another user: $program" 78 'Permission denied (it runs as ' as_other "$BUILD/$program" -c "$S/closed.conf"
	done
	chmod -R a+rX "$S/files/policies" "$S/files"
	chown 65534 "$S/files/site.key"
	for file in missent.conf policies/a.conf policies/kinds.conf policies/more.inc policies/senders.txt site.key; do
		chmod 0600 "$S/files/$file"
		chown 0 "$S/files/$file"
		ends "another user: $file" 77 "$file: " as_other "$BUILD/missent" -c "$S/files/missent.conf" check --to b@alpha.example "$S/empty.eml"
		chmod 0644 "$S/files/$file"
	done
	# root asks, and may read what missentd may not
	mkdir "$S/live"
	chown 65534 "$S/live"
	settings "$S/live.conf" "policy-dir = \"$S/files/policies\"" "directory { key-file = \"$S/live/site.key\" }"
	sed -i "s|$S/state|$S/live|" "$S/live.conf"
	as_other "$BUILD/missent" -c "$S/live.conf" directory key >/dev/null
	# Not by the function, whose shell would be what is ended below.
	setpriv --reuid=65534 --regid=65534 --clear-groups "$BUILD/missentd" -c "$S/live.conf" >"$S/live.log" 2>&1 &
	daemon=$!
	for _ in $(seq 100); do [ -S "$S/live/missent.sock" ] && break || sleep 0.1; done
	ends 'reload: a policy that missentd may read' 0 'reloaded' "$BUILD/missent" -c "$S/live.conf" reload
	chmod 0600 "$S/files/policies/a.conf"
	for as in '' as_other; do
		ends "reload: one that it may not, asked by ${as:-root}" 78 \
			'may not (chgrp, chmod g+r): '"$S/files/policies/a.conf: cannot be read: Permission denied" $as "$BUILD/missent" -c "$S/live.conf" reload
		without '... and no other remedy' 'run it as root' $as "$BUILD/missent" -c "$S/live.conf" reload
	done
	chmod 0644 "$S/files/policies/a.conf"
	mkfifo "$S/files/policies/z.conf"
	ends 'reload: a pipe is not waited for' 78 'z.conf: cannot be read' "$BUILD/missent" -c "$S/live.conf" reload --wait 20
	rm "$S/files/policies/z.conf"
	ends '... and the next one is done' 0 'reloaded' "$BUILD/missent" -c "$S/live.conf" reload --wait 20
	kill $daemon
	wait $daemon
	ends 'another user: missent reload' 77 'run it as root, or as the user' other reload
	for command in 'held list' 'guard status' 'directory stats' 'incident about ALPHA' 'review users' 'forget --why x ALPHA'; do
		ends "another user: missent $command" 77 'run it as root, or as the user' other $command
		without '... and no other remedy' 'make one with' other $command
	done
fi
# No policy at all is no state to go on with.
mkdir "$S/bare" && cp "$S/policies/kinds.conf" "$S/bare/"
sed "\$a policy-dir = \"$S/bare\"" "$S/missent.conf" >"$S/bare.conf"
ends 'status: no policy' 1 "there is none in $S/bare: no mail is judged" "$BUILD/missent" -c "$S/bare.conf" status
ends '... for programs' 1 '"no_policy":true' "$BUILD/missent" -c "$S/bare.conf" status --json
without '... where there are some' 'there is none in' missent status
# A test of a policy that is not there is told by all that look at policies.
printf 'test "t" {\n\tpolicy = "invoicess"\n\tfrom = "x@y.example"\n\tto = "a@b.example"\n\ttext = "x"\n\texpect = deliver\n}\n' >"$S/policies/tests.conf"
for command in 'policy lint --no-trail' 'config check' 'policy check'; do
	missent $command >"$S/of-none" 2>&1
	ends "$command: a test of a policy that is none" 0 'there is no policy "invoicess"; did you mean "invoices"?' cat "$S/of-none"
done
rm "$S/policies/tests.conf"
ends 'a log that is none' 66 'No such file or directory; where the journal alone has the log: journalctl -o export --facility=mail | missent audit reconcile -' \
	missent audit reconcile "$S/mail.log"
ends '... none of a pattern' 66 'journalctl -o export' missent audit reconcile "$S/mail.log*"
ends '... none at all' 64 'journalctl -o export' missent audit reconcile
ends '... one that is there says nothing of it' 66 'is a folder: name the files in it' missent audit reconcile "$S"
mkdir -p "$S/sent/cur" "$S/sent/new"
printf 'From: billing@seller.example\nTo: a@alpha.example\n\nx\n' >"$S/sent/cur/1"
# Another trail that is none: neither a folder nor nothing is one without lines.
for command in 'audit acts' 'audit export --ecs' 'audit versions' 'audit rejudge --directory m.csv' 'stats' 'policy report' \
	'incident report --from -1d' 'policy lint' "directory learn --with-history --from $S/sent"; do
	ends "$command: a trail that is a folder" 65 "$S/policies: is a folder; name the trail as audit-file does" \
		missent $command --trail "$S/policies"
	ends "$command: a trail that is not there" 65 "$S/none.jsonl: there is no audit trail" \
		missent $command --trail "$S/none.jsonl"
done
ends 'audit rejudge: a mapping that is a folder' 66 "$S/policies: Is a directory" missent audit rejudge --directory "$S/policies"
ends 'policy test: a mapping that is a folder' 66 "$S/policies: it is a folder; name one file" \
	missent policy test --against "$S/sent" --directory "$S/policies"
# Nothing compared is no "all is right".
printf 'account,kind,value\n' >"$S/rowless.csv"
printf 'name,phone\nx,1\n' >"$S/other.csv"
for file in /dev/null "$S/rowless.csv" "$S/other.csv"; do
	ends "directory verify against $(basename $file)" 65 "missent: $file: " missent directory verify --against "$file"
	ends '... as JSON' 65 "missent: $file: " missent directory verify --json --against "$file"
done
ends 'a key that is there already is no reason to try again' 65 'there is a file already' missent directory key
ends 'held causes: none' 0 'nothing is held' missent held causes
mkdir "$S/comma"
cp "$S/policies/kinds.conf" "$S/comma/"
printf 'policy "a" {\n sender = {"billing@seller.example",}\n}\n' >"$S/comma/a.conf"
ends 'a comma behind the last value of a list' 0 'nothing is odd' missent policy lint --no-trail --policies "$S/comma"
printf '' >"$S/comma/a.conf"
without '... what is wrong with a whole file has no line' ':0:' missent policy lint --no-trail --policies "$S/comma"
echo "1..$n"
