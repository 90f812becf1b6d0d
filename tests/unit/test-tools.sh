#!/bin/sh
# The programs as a user meets them: options, exit codes, complaints.  TAP.
. "$SOURCE/tests/unit/tap.sh"
says() { # CODE WORDS COMMAND...: ends with CODE and says WORDS
	code=$1 words=$2
	shift 2
	"$@" >"$S/said" 2>&1 </dev/null
	got=$?
	cat "$S/said"
	echo "exit $got, wanted $code and \"$words\""
	[ $got = "$code" ] && grep -qF -e "$words" "$S/said"
}
make_site
missentd() { "$BUILD/missentd" -c "$S/missent.conf" "$@"; }

ok 'missent --version' says 0 'missent 0' missent --version
ok 'missent --help' says 0 'judge messages' missent --help
ok 'no command is a usage error' says 64 'usage:' missent
ok 'an unknown command has a suggestion' says 64 'did you mean "check"?' missent chekc
ok 'an unknown verb has a suggestion' says 64 'did you mean "import"?' missent directory improt
ok 'an unknown option is explained' says 64 '--wat' missent check --wat x
for program in missentd missent-agent missent-review missent-reader missent-reader-text missent-picture missent-release; do
	ok "$program --help" says 0 "usage: $program [OPTION]..." "$BUILD/$program" --help
	ok "$program --version" says 0 "$program 0" "$BUILD/$program" --version
	ok "$program: an option that is none" says 64 "there is no option --wat (see $program --help)" "$BUILD/$program" --wat
done
ok 'each pointer names a command that is there' says 64 '(see missent held list --help)' missent held list --wat
ok '... and --help says its whole name' says 0 'missent held list [OPTION' missent held list --help
ok 'an option nearly written' says 64 'did you mean --from?' missent check --frm x
ok 'a reason that is none' says 64 'did you mean "mismatch"?' missent held list --reason mismatsch
ok 'a state that is none' says 64 'did you mean "held"?' missent held list --state heldd
ok 'a role that is none' says 64 '"admin" is none of viewer, reviewer, administrator' missent review adduser x --role admin
ok 'a check that is none' says 64 'did you mean "postfix"?' missent doctor --only postfx
ok 'a verb of config that is none' says 64 'did you mean "check"?' missent config chek
ok 'missentd -V' says 0 'missentd 0' missentd -V
ok 'missentd with an unknown option' says 64 "there is no option -Z" missentd -Z
ok 'a configuration that is not there' says 78 'No such file' "$BUILD/missentd" -t -c "$S/none.conf"
ok 'no site key: says how to make one' says 78 'missent directory key' missent directory stats
mkdir "$S/run"
[ "$(id -u)" != 0 ] || { chmod 711 "$S"; chown nobody "$S/run"; echo 'user = "nobody"' >"$S/keyless.conf"; }
sed "s|$S/state|$S/run|; s|$S/missent.sock|$S/run/sock|" "$S/missent.conf" >>"$S/keyless.conf"
ok 'a start that fails' says 78 'missent directory key' "$BUILD/missentd" -c "$S/keyless.conf"
ok '... leaves no socket behind' test ! -e "$S/run/sock"
ok 'the site key is made' says 0 'made' missent directory key
ok '... and never replaced' says 65 'File exists' missent directory key
ok 'config check: no mapping yet' says 1 ' fault, ' missent config check
ok 'config show' says 0 'missent.conf:1' missent config show
for dir in none missent.conf; do
	sed "s|$S/state|$S/$dir|" "$S/missent.conf" >"$S/astray.conf"
	ok "a state-dir that is none: $dir" says 78 "state-dir $S/$dir: is missing or not writable" "$BUILD/missentd" -t -c "$S/astray.conf"
done
ok 'an empty directory is told' says 78 'nothing was ever imported' missent directory stats
ok 'missentd -t warns of it, but would start' says 0 'warning: directory: nothing' missentd -t
printf 'account,kind,value\nAC-1,recipient,@alpha.example\nAC-1,customer-number,C-10001\n' >"$S/m.csv"
printf 'AC-2,customer-number,C-10002\nAC-2,recipient,@beta.example\n' >>"$S/m.csv"
ok 'a dry run' says 0 'nothing was changed' missent directory import -n "$S/m.csv"
ok 'an import' says 0 '4 entries in use' missent directory import "$S/m.csv"
ok 'a format that is none' says 64 'none of json, csv; did you mean "json"?' missent directory follow --format jsn --source x
ok 'a kind that is none' says 64 'did you mean "customer-number"?' missent directory lookup customer-numbr C-1
ok '... nor to be put' says 64 'did you mean "receives-for"?' missent directory put A receive-for B
ok 'lookup: known' says 0 'account AC-1' missent directory lookup customer-number c10001
ok 'lookup: not known' says 1 'not known' missent directory lookup customer-number c99999
ok 'lookup: not a value of the kind' says 65 'check digits' missent directory lookup iban DE88370400440532013000
ok 'lookup: recipient' says 0 'account AC-1' missent directory lookup recipient Anna@ALPHA.example
ok 'digest prints a key' says 0 ' i:customer-number=C10001' missent directory digest customer-number C-10001
ok 'stats' says 0 'entries     4' missent directory stats
config() { # what stands there instead of the socket: config check
	sed "s,^socket = .*,$1," "$S/missent.conf" >"$S/check.conf"
	"$BUILD/missent" -c "$S/check.conf" config check
}
ok 'config check' says 0 ' 28 kinds, 4 policies' missent config check
ok 'config check: what has no effect is not fine' says 1 'check.conf: 1 fault, ' config "socket = \"unix:$S/m.sock\"\\nsocket-mode = \"0600\""
ok '... and is told' says 1 'socket-mode 0600: nobody but' config "socket = \"unix:$S/m.sock\"\\nsocket-mode = \"0600\""
ok '... a milter for the whole network' says 0 'whoever reaches that port' config 'socket = "inet:8890@0.0.0.0"'
ok '... a program that is not there' says 1 'sync { command }: there is no program "psql -c x"' config "socket = \"unix:$S/m.sock\"\\nsync { command = \"psql -c x\" }"
sed "s/, .billing@seller.example.//" "$S/policies/invoices.conf" >"$S/invoices.conf"
mv "$S/policies/invoices.conf" "$S/invoices.kept"
mv "$S/invoices.conf" "$S/policies/"
ok '... policies for an example alone' says 1 'none of your mail falls under one' missent config check
ok '... by policy lint too' says 2 'none of your mail falls under one' missent policy lint
mv "$S/invoices.kept" "$S/policies/invoices.conf"
ok 'stats --json' says 0 '"usable":true' missent directory stats --json
ok 'put' says 0 'added' missent directory put AC-3 customer-number C-10003
ok 'put again' says 0 'there already' missent directory put AC-3 customer-number c10003
ok 'put: it is another'"'"'s too' says 0 "it is account \"AC-3\"'s too; if it went to another: missent directory delete \"AC-3\" customer-number" missent directory put AC-4 customer-number C-10003
ok '... of three' says 0 "s and 1 more accounts' too" missent directory put AC-5 customer-number C-10003
ok '... of one' sh -c "! '$BUILD/missent' -c '$S/missent.conf' directory put AC-5 customer-number C-90003 2>&1 | grep 'it is account'"
for a in AC-4 AC-5; do missent directory delete $a customer-number C-10003 >/dev/null; done
missent directory delete AC-5 customer-number C-90003 >/dev/null
ok 'delete' says 0 'deleted' missent directory delete AC-3 customer-number C-10003
umask 077
missent directory put RES receives-for AC-2 >/dev/null
ok 'remove -n: what would go' says 0 'received for by         RES' missent directory remove -n AC-2
ok '... how much' says 0 '2 of its own (identifiers, recipients, names), receives for 0, received for by 1 would go; nothing was changed' missent directory remove -n AC-2
ok '... is there still' says 0 'account AC-2' missent directory lookup customer-number C-10002
ok 'remove: nobody is there to be asked' says 64 'nothing was changed; add --yes' missent directory remove --why 'has left' AC-2
ok '... without a reason' says 64 'usage: missent directory remove' missent directory remove --yes AC-2
ok '... an empty one' says 64 '--why: "" is an empty word' missent directory remove --yes --why= AC-2
ok '... no account' says 64 'usage: missent directory remove' missent directory remove --yes --why x
ok '... an empty one does not mean all' says 64 'is an empty word' missent directory remove --yes --why x ''
ok '... nor one of spaces' says 64 'usage: missent directory remove' missent directory remove --yes --why x ' '
ok '... nor the beginning of a name' says 1 'knows no account "AC-"; did you mean' missent directory remove --yes --why x AC-
ok '... the house' says 65 'is what is your own' missent directory remove --yes --why x house
ok '... is still there' says 0 'account AC-2' missent directory lookup customer-number C-10002
ok 'remove' says 0 'removed: 3 entries' missent directory remove --yes --why 'has left' AC-2
ok '... nobody knows it' says 1 'not known' missent directory lookup customer-number C-10002
ok '... nor where it received' says 1 'not known' missent directory lookup recipient x@beta.example
ok '... the others are' says 0 'account AC-1' missent directory lookup customer-number C-10001
ok '... nor is it there again' says 1 'knows no account "AC-2"' missent directory remove -n AC-2
ok '... the mapping is whole' says 0 '0 wrong' missent directory verify
missent directory import --max-shrink 100 "$S/m.csv" >/dev/null
ok 'put: what is the house stays' says 0 'of which each import has it' missent directory put house vat-id DE136695976
umask 022
ok '... in a file that all may read, whatever the umask' [ "$(stat -c %a "$S/house.csv")" = 644 ]
chmod 0640 "$S/house.csv" && { [ "$(id -u)" != 0 ] || chown 65534:65534 "$S/house.csv"; }
owned=$(stat -c '%a %u %g' "$S/house.csv")
ok '... in which more comes to stand' says 0 'of which each import has it' missent directory put house iban DE89370400440532013000
ok '... and whose it is, and who may read it, is as it was' [ "$(stat -c '%a %u %g' "$S/house.csv")" = "$owned" ]
missent directory delete house iban DE89370400440532013000 >/dev/null
ok '... and is there once' says 0 'was there already' missent directory put house vat-id 'DE 136 695 976'
ok '... over an import of a file without it' says 0 '4 lines read, 0 bad; 5 entries in use' missent directory import "$S/m.csv"
ok '... known' says 0 'account house' missent directory lookup vat-id DE136695976
printf 'AC-1,recipient,@alpha.example\n' >>"$S/house.csv"
ok '... nothing of a customer in its file' says 65 'house.csv:3: "AC-1" is not the house' missent directory import "$S/m.csv"
ok '... which put says too' says 0 'the next import drops it: ' missent directory put house iban DE89370400440532013000
printf 'account,kind,value\nhouse,iban,DE00\n' >"$S/house.csv"
ok '... nor a mistake' says 65 'house.csv:2: ' missent directory import "$S/m.csv"
printf 'account,kind,value\nhouse,"iban\n' >"$S/house.csv"
ok '... nor half a file' says 65 'house.csv: line 2: a quote' missent directory import "$S/m.csv"
printf 'account,kind,value\nhouse,vat-id,DE136695976\nhouse,receives-for,AC-77\n' >"$S/house.csv"
ok '... what is odd in it is told by its own name and line' says 0 "missent: warning: $S/house.csv:3: " missent directory import --max-shrink 100 "$S/m.csv"
ok '... nor is it the imported file'"'"'s' sh -c "! '$BUILD/missent' -c '$S/missent.conf' directory import --max-shrink 100 '$S/m.csv' 2>&1 | grep 'm.csv.*warning.*AC-77'"
mv "$S/house.csv" "$S/house.bad"
ok '... gone: it is told' says 0 'warning: nothing in it is your own (account "house")' missent directory import --max-shrink 100 "$S/m.csv"
sed '$a directory { house-file = "'"$S"'/none.csv" }' "$S/missent.conf" >"$S/house.conf"
ok '... named, and not there' says 65 'none.csv: there is no such file, which house-file names: write it' "$BUILD/missent" -c "$S/house.conf" directory import "$S/m.csv"
ok 'export is refused where there are digests' says 78 'digests = no' missent directory export
ok 'a file that is not there' says 66 'No such file' missent directory import "$S/none.csv"
ok 'a bad line is reported with its number' sh -c "printf 'A,iban,DE00\nA,customer-number,C-4\n' |
	'$BUILD/missent' -c '$S/missent.conf' directory import --max-bad 60 --max-shrink 100 - 2>&1 |
	grep -F 'standard input:1: '"
printf 'account,kind,value\nA,recipient,@gmail.com\nA,customer-number,C-40001\n' >"$S/odd.csv"
ok 'lint: what is odd' says 1 'odd.csv:2: warning: a domain at which anybody can have a mailbox' missent directory lint "$S/odd.csv"
ok 'lint: nothing is' says 0 '4 lines, 0 bad, 0 warnings' missent directory lint "$S/m.csv"
{
	echo account,kind,value
	seq 7300001 7300700 | sed 's/.*/A&,recipient,@c&.example\nA&,customer-number,&/'
} >"$S/dense.csv"
ok 'lint: numbers that are nearly all in use' says 1 'customer-number: nearly every number of 7 digits' missent directory lint "$S/dense.csv"
ok '... what to do' grep -q '"bare-digits = 8" in kinds.conf' "$S/said"
sed '/^kind "customer-number"/a bare-digits = 8' "$SOURCE/policies/kinds.conf" >"$S/policies/kinds.conf"
ok '... done, it is quiet' says 0 ' 0 warnings' missent directory lint "$S/dense.csv"
cp "$SOURCE/policies/kinds.conf" "$S/policies/"
awk 'NR < 2 || NR % 6 < 2' "$S/dense.csv" >"$S/sparse.csv"
ok '... nor is one in three told' says 0 ' 0 warnings' missent directory lint "$S/sparse.csv"
sync() { # COMMAND and what else stands in the section
	cp "$S/missent.conf" "$S/sync.conf"
	printf 'sync { %s }\n' "$*" >>"$S/sync.conf"
	"$BUILD/missent" -c "$S/sync.conf" directory sync
}
printf 'Kdnr;Mail;VAT\nA-1;x@alpha.example;DE136695976\nA-2;y@beta.example;\n' >"$S/rows.csv"
ok 'import: --map twice says more' says 0 '3 entries' missent directory import -n --max-shrink 100 \
	--map Mail=recipient --map VAT=vat-id --account Kdnr "$S/rows.csv"
printf 'Kdnr;Mail\nA-1;x.alpha.example\n' >"$S/bad.csv"
ok '... a bad cell is told with its column' says 65 'bad.csv:2: column "Mail": it is not an e-mail' missent directory import \
	--map Mail=recipient --account Kdnr "$S/bad.csv"
seq -f 'A,customer-nummer,C-%g' 30 >"$S/alike.csv"
printf 'A,iban,DE00\nA,customer-number,C-40004\n' >>"$S/alike.csv"
ok 'lines that are bad for one reason are told once' says 65 '20 more lines are bad as line 1 is' missent directory import "$S/alike.csv"
ok '... and hide no other' says 65 'alike.csv:31: ' missent directory import "$S/alike.csv"
ok '... by lint too' says 1 '20 more lines are bad as line 1 is' missent directory lint "$S/alike.csv"
ok '... which tells each as JSON' says 1 '"line":30' missent directory lint --json "$S/alike.csv"
sed -i '$d' "$S/alike.csv"
ok '... also where none is good' says 65 '"line":30' missent directory lint --json "$S/alike.csv"
ok 'an option with one value, twice' says 64 '--account is given twice' missent directory import --account a --account=b "$S/m.csv"
ok '... once is enough' says 64 '--max-bad 101: 0 to 100' missent directory import --max-bad 101 "$S/m.csv"
ok '... nor none' says 64 '--many 0: at least 1' missent directory import --many 0 "$S/m.csv"
ok 'a folder is no file' says 66 'it is a folder' missent directory import "$S"
ok 'what is said of a file names it' says 65 'rows.csv: line 1: there is no column' missent directory import --map X=iban --account Kdnr "$S/rows.csv"
ok 'learn: no file of others is written over' says 73 'no earlier proposal' missent directory learn --from "$S/m.csv" -o "$S/m.csv"
ok '... it is as it was' grep -q 'AC-1,recipient' "$S/m.csv"
ok 'reload: no process of others is signalled' says 64 'is no missentd' missent reload --pid $$
ok '... nor is it waited less than not at all' says 64 '--wait -1' missent reload --wait -1
ok 'moduser: what?' says 64 'what is to change?' missent review moduser x
ok 'a token: somebody there answers for it' says 65 'there is no account "nobody-here"' missent review token add t --for nobody-here
mkdir "$S/mta"
printf '#!/bin/sh\necho "smtpd_milters = unix:missent/missent.sock"\n' >"$S/mta/postconf"
chmod +x "$S/mta/postconf"
ok 'uninstalled: that the MTA names it still is told' says 0 'Postfix still names it' \
	env PATH="$S/mta:$PATH" make -s -C "$BUILD" uninstall-local pkglibexecdir="$S/libexec"
ok 'help is a word too' says 0 'judge messages' missent help
ok 'init: a log that is not there' says 66 '--mail-log /no/such' missent init --dry-run --mail-log /no/such
ok 'held list: less than nothing' says 64 'at least 1' missent held list --limit -1
ok 'check: no address of a client' says 64 'is no IP address' missent check --client 300.1.1.1 "$S/m.csv"
ok 'check: no recipient' says 64 'is no address of a recipient' missent check --to '<>' "$S/m.csv"
ok 'sync: what a command prints' says 0 '4 lines read, 0 bad; 4 entries in use' sync "command = {\"cat\", \"$S/m.csv\"} max-shrink = 100"
ok 'sync: half of it, and a failure' says 75 'ended with status 3; the mapping in use is unchanged' \
	sync "command = {\"sh\", \"-c\", \"head -3 $S/m.csv; exit 3\"} max-shrink = 100"
ok '... started by who ignores how children end' says 75 'ended with status 3' \
	"$PYTHON" -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$BUILD/missent" -c "$S/sync.conf" directory sync
ok 'sync: it hangs' says 75 'took longer than' sync 'command = {"sleep", "60"} timeout = 1s'
ok 'sync: too few' says 65 'would shrink from 4 to 2 entries' sync "command = {\"head\", \"-3\", \"$S/m.csv\"}"
ok '... where it is said that fewer are right' says 65 "max-shrink and max-moved are said in sync { } of $S/sync.conf" sync "command = {\"head\", \"-3\", \"$S/m.csv\"}"
ok 'sync: no such command' says 69 'no-such-client' sync 'command = {"no-such-client"}'
ok 'sync: nothing is said' says 78 'sync { command } is not set' sync ''
ok 'sync: map alone' says 78 'map and account belong together' sync 'command = {"true"} map = "a=iban"'
printf 'dn: uid=1\nuid: 1\nmail: x@alpha.example\nmail: y@alpha.example\nnumber: C-50001\n\n' >"$S/m.ldif"
ok 'sync: LDIF' says 0 '3 entries in use' sync "command = {\"cat\", \"$S/m.ldif\"} max-shrink = 100
	format = ldif
	map = \"mail=recipient,number=customer-number\"
	account = \"uid\""
printf '{"uid": "1", "mail": ["x@alpha.example", "y@alpha.example"], "number": "C-50001"}\n' >"$S/m.json"
ok '... JSON' says 0 '3 entries in use' sync "command = {\"cat\", \"$S/m.json\"} max-shrink = 100
	map = \"mail=recipient,number=customer-number\"
	account = \"uid\""
ok 'import: LDIF' says 0 '3 entries' missent directory import -n --max-shrink 100 \
	--map mail=recipient,number=customer-number --account uid "$S/m.ldif"
ok '... JSON, from a pipe' says 0 '3 entries' sh -c \
	"'$BUILD/missent' -c '$S/missent.conf' directory import -n --max-shrink 100 \
	--map mail=recipient,number=customer-number --account uid - <'$S/m.json'"
# customers SLIP [FROM]: twenty, whose addresses slipped by so many rows from that one on
customers() {
	awk -v slip="$1" -v from="${2:-0}" 'BEGIN {
		print "account,kind,value"
		for (i = 0; i < 20; i++) {
			mail = i < from ? i : from + (i - from + slip) % (20 - from)
			printf "K-%02d,customer-number,C-%05d\nK-%02d,recipient,kunde%d@mail%d.example\n", i, i, i, mail, mail
		}
	}'
}
customers 0 >"$S/c.csv"
customers 1 >"$S/slipped.csv"
customers 1 17 >"$S/few.csv"
refused() { "$BUILD/missent" -c "$S/missent.conf" status --json | grep -q import_refused; }
ok 'import: a first mapping of them' missent directory import --max-shrink 100 "$S/c.csv"
ok '... again: nothing is other' says 0 '40 as before, 0 new, 0 gone, moved to accounts of others: 0;' missent directory import "$S/c.csv"
ok 'import: a column slipped by a row' says 65 'recipient: 20 of 20 would move to accounts of others, more than 2 % (--max-moved' missent directory import "$S/slipped.csv"
ok '... with the line' grep -q "slipped.csv:3: the recipient here is another account's (.*) in the mapping in use" "$S/said"
ok '... without a value' sh -c "! grep -q mail1 '$S/said'"
ok '... and what is other' grep -q 'against the one in use: 20 as before, 0 new, 0 gone, moved to accounts of others: 20 (recipient 20)' "$S/said"
ok '... the mapping is as it was' says 0 'account K-01' missent directory lookup recipient kunde1@mail1.example
ok '... status tells it' says 1 'slipped.csv: recipient: 20 of 20 would move' missent status
ok '... doctor too' sh -c "'$BUILD/missent' -c '$S/missent.conf' doctor 2>&1 | grep -A1 mapping-refused | grep -q 'recipient: 20 of 20'"
ok '... tried, it is refused too' says 65 'recipient: 20 of 20' missent directory import -n "$S/slipped.csv"
ok '... by sync' says 65 'recipient: 20 of 20' sync "command = {\"cat\", \"$S/slipped.csv\"}"
ok 'import: accepted without a reason' says 64 '--accept-moved --why TEXT' missent directory import --accept-moved "$S/slipped.csv"
ok '... with an empty one' says 64 'empty' missent directory import --accept-moved --why '' "$S/slipped.csv"
ok '... a reason for nothing' says 64 '--accept-moved --why TEXT' missent directory import --why x "$S/slipped.csv"
ok '... tried with a reason' says 0 'nothing was changed' missent directory import -n --accept-moved --why 'x' "$S/slipped.csv"
ok '... it is refused still' refused
ok 'import: few moved' says 0 'moved to accounts of others: 3 (recipient 3)' missent directory import "$S/few.csv"
ok '... nothing is refused any more' sh -c "! '$BUILD/missent' -c '$S/missent.conf' status --json | grep -q import_refused"
ok 'sync: accepted with a reason' says 0 'moved to accounts of others: 18' sh -c "cp '$S/missent.conf' '$S/sync.conf'
	printf 'sync { command = {\"cat\", \"$S/slipped.csv\"} }' >>'$S/sync.conf'
	'$BUILD/missent' -c '$S/sync.conf' directory sync --accept-moved --why 'told by billing'"
ok 'import: the limit is a setting' says 0 '20 (recipient 20)' sync "command = {\"cat\", \"$S/c.csv\"} max-moved = 100"
ok '... an option' says 0 '20 (recipient 20)' missent directory import --max-moved 100 "$S/slipped.csv"
ok '... of per cent' says 64 '--max-moved -1: 0 to 100' missent directory import --max-moved -1 "$S/c.csv"
for which in 0 1; do
	printf 'test "of others, %s" {\n\tpolicy = "invoices"\n\tto = {"k1@m1.example"}\n\ttext = "Customer number: C-30001"\n\tmapping = {' $which
	for i in 1 2 3 4 5 6 7; do printf '"K%s,customer-number,C-3000%s", "K%s,recipient,k%s@m%s.example", ' $i $i $(((i + which) % 8)) $i $i; done
	printf '"K9,customer-number,C-30009"}\n\texpect = %s\n}\n' $([ $which = 0 ] && echo deliver || echo hold)
done >>"$S/policies/invoices.conf"
ok 'policy check: the mapping of each test is its own' says 0 '' missent policy check
mkfifo "$S/policies/pipe.eml"
cp "$S/policies/invoices.conf" "$S/invoices.conf"
printf 'test "a pipe" {\n\tto = {"k1@m1.example"}\n\tfile = "pipe.eml"\n\texpect = hold\n}\n' >>"$S/policies/invoices.conf"
ok '... a pipe for a message is not waited for' says 1 'pipe.eml: cannot be read: it is a folder or a pipe' \
	timeout 20 "$BUILD/missent" -c "$S/missent.conf" policy check
ok '... nor is one among stored messages' says 66 'pipe.eml: is a pipe or a device, and no file' \
	timeout 20 "$BUILD/missent" -c "$S/missent.conf" check "$S/policies"
rm "$S/policies/pipe.eml"
mv "$S/invoices.conf" "$S/policies/"
ok 'sync: too few is told too' sh -c "'$BUILD/missent' -c '$S/missent.conf' directory import '$S/m.csv'; '$BUILD/missent' -c '$S/missent.conf' status | grep -q 'would shrink'"
missent directory import --max-shrink 100 "$S/m.csv" >/dev/null

printf 'From: <billing@example.com>\nTo: a@beta.example\nSubject: s\n\ncustomer number: C-10002\n' >"$S/right.eml"
printf 'From: <billing@example.com>\nTo: a@alpha.example\nSubject: s\n\ncustomer number: C-10002\n' >"$S/wrong.eml"
ok 'check: right mail' says 0 'deliver' missent check "$S/right.eml"
ok 'check: wrong mail' says 1 'mismatch' missent check "$S/wrong.eml"
ok 'check: columns are as wide as what is in them' says 1 '  a@alpha.example  customer-number ****02  other     ' missent check "$S/wrong.eml"
ok 'check shows no identifier' sh -c "! '$BUILD/missent' -c '$S/missent.conf' check '$S/wrong.eml' | grep -i 10002"
ok '... but with --reveal' says 1 'C10002' missent check --reveal "$S/wrong.eml"
printf 'From: <billing@example.com>\nTo: a@nobody.example\nSubject: s\n\ncustomer number: C-10002\n' >"$S/other.eml"
ok 'check --to overrides the headers' says 0 'deliver' missent check --to x@beta.example "$S/other.eml"
ok '... which then show another customer' says 1 'header To' missent check --to x@beta.example "$S/wrong.eml"
mkdir "$S/nothing"
ok 'check: of a folder without mail' sh -c "'$BUILD/missent' -c '$S/missent.conf' check '$S/nothing' 2>/dev/null | grep -qx '0 messages'"
ok 'check --json' says 1 '"would":"hold"' missent check --json "$S/wrong.eml"
ok 'check of standard input' sh -c "'$BUILD/missent' -c '$S/missent.conf' check - <'$S/right.eml'"
{ printf 'From x Mon\n'; cat "$S/right.eml"; printf '\nFrom y Mon\n'; cat "$S/wrong.eml"; } >"$S/mbox"
ok 'check of an mbox' says 1 'mbox:2' missent check "$S/mbox"
ok '... judges each once' sh -c "[ \$('$BUILD/missent' -c '$S/missent.conf' check '$S/mbox' | grep -c mbox:) = 2 ]"
mkdir -p "$S/Maildir/cur" "$S/Maildir/new"
cp "$S/wrong.eml" "$S/Maildir/new/1"
ok 'check of a Maildir' says 1 'Maildir/new/1' missent check "$S/Maildir"
ok 'check of a folder' says 1 'wrong.eml' missent check "$S"
ok 'check without recipients' sh -c "printf 'Subject: s\n\nx\n' | '$BUILD/missent' -c '$S/missent.conf' check - 2>&1 | grep -e --to"
ok 'no colour into a pipe' sh -c "! '$BUILD/missent' -c '$S/missent.conf' check '$S/wrong.eml' | grep -q '$(printf '\033')'"
ok 'colour when asked for' sh -c "'$BUILD/missent' -c '$S/missent.conf' --color check '$S/wrong.eml' | grep -q '$(printf '\033')'"
ok 'held list, empty, where there is no MTA' says 75 '0 messages' missent held list
# Whose word it is that is wrong, and so what its status is: of the command line 64, of what it names 65 or 66.
ok 'a time that is none' says 64 '--time: "yesterday" is no time' missent check --time yesterday "$S/m.csv"
ok '... of explain' says 64 '--time: "yesterday" is no time' missent explain --time yesterday "$S/m.csv"
ok 'an encoding that is none' says 64 'nobody knows "klingon"' missent directory import -n --encoding klingon "$S/m.csv"
mkdir "$S/none"
for command in 'check' 'directory learn --from' 'directory suggest-house' 'policy test --against' 'audit rejudge --directory' "audit rejudge --directory $S/m.csv --directory" 'directory import' 'directory lint' 'directory follow --source s' 'audit reconcile' 'policy lint --mail-log'; do
	ok "$command: a file that is not there" says 66 "$S/none.eml: No such file" missent $command "$S/none.eml"
done
for command in 'check' 'directory learn --from' 'policy test --against'; do
	ok "$command: a folder without a message" says 66 "none: no Maildir, and no" missent $command "$S/none"
done
# Names that begin with a dash, in all that takes names; and how they are said.
ok 'a name with a dash' says 0 'account "-X" is new' missent directory put -- -X customer-number C-30001
ok '... options before it' says 0 '"-X"' missent directory lookup --json -- customer-number C-30001
ok '... behind --, and no dash' says 0 'account -X' missent directory lookup -- customer-number C-30001
ok '... and a word in front' says 0 'was there already' missent directory put -- -X customer-number C-30001
ok '... is another'"'"'s too: how it is deleted there' says 0 'missent directory delete -- "-X" customer-number' missent directory put AC-1 customer-number C-30001
missent directory delete AC-1 customer-number C-30001 >/dev/null
ok '... what would go' says 0 'would go' missent directory remove -n -- -X
ok '... without --: how it is said' says 64 'what begins with a dash and is none goes behind --' missent directory remove -n -X
ok '... an option nearly written is not' says 64 'did you mean --dry-run?' missent directory remove --dry-rn AC-1
ok '... nothing behind it' says 64 'give ACCOUNT KIND VALUE' missent directory put --
ok '... a value too' says 1 'not known' missent directory lookup -- recipient -x@none.example
ok '... -- itself is a name' says 1 'knows no account "--"' missent directory remove -n -- --
ok '... to be forgotten' says 1 'nothing was known' missent forget --why x -- -X
ok '... of a customer' says 0 'nothing of this account' missent incident about -- -X
ok '... no file of that name' says 66 '-x.eml: No such file' missent check -- -x.eml
ok '... more than one verb takes' says 64 'takes no arguments, and "-x" is one' missent directory stats -- -x
ok '... deleted' says 0 'deleted' missent directory delete -- -X customer-number C-30001
# Blanks around a name are nobody's.
ok 'put: blanks around an account' says 0 'was there already' missent directory put ' AC-1 ' customer-number C-10001
ok '... and around the one that is received for' says 0 'added' missent directory put AC-1 receives-for ' AC-2 '
ok '... which is that one' says 0 'received for by         AC-1' missent directory remove -n AC-2
missent directory delete AC-1 receives-for AC-2 >/dev/null
ok '... of another account, that is nobody' says 64 'is an empty word' missent directory put '' customer-number C-1
printf '{"id":1,"op":"put","account":"AC-1 ","kind":"customer-number","value":"C-30002"}\n' >"$S/blank.changes"
missent directory follow --source blanks "$S/blank.changes" >/dev/null 2>&1
ok '... in a change' says 0 '"accounts":["AC-1"]' missent directory lookup --json customer-number C-30002
missent directory import --max-shrink 100 --max-moved 100 --forget-positions "$S/m.csv" >/dev/null 2>&1
# Whose it is, too, where one of the two is the house.
ok 'put: what is the house'"'"'s and another'"'"'s' says 0 'warning: it is account "AC-1"'"'"'s too, and what is your own may stand in everybody'"'"'s mail' missent directory put house customer-number C-10001
missent directory delete house customer-number C-10001 >/dev/null
# Bad lines of a mapping that is only tried.
{ cat "$S/m.csv"; echo AC-9,no-such-kind,x; } >"$S/bad.csv"
printf 'From: billing@seller.example\nTo: a@alpha.example\n\nx\n' >"$S/one.eml"
ok 'policy test: a bad line of the mapping is told' says 65 "$S/bad.csv:6: " missent policy test --against "$S/one.eml" --directory "$S/bad.csv"
ok '... and which file is refused' says 65 "missent: $S/bad.csv: 1 of 5 lines is bad" missent policy test --against "$S/one.eml" --directory "$S/bad.csv"
ok 'a percentage that is none' says 64 '--percent 101: 0 to 100 per cent' missent directory suggest-house --percent 101 "$S/m.csv"
ok 'a message that was never judged' says 65 'has this queue ID' missent audit versions nosuch
ok 'no reason' says 64 'the reason is kept' missent pause --for 5m --why ''
ok '... of blanks' says 64 'the reason is kept' missent guard reset --why ' ' x
ok '... for what moved' says 64 'the reason is kept' missent directory import --accept-moved --why '	' "$S/slipped.csv"
ok 'held show of nothing' says 65 'no record' missent held show ABCDE12

ok 'a directory that is away: could not be judged' sh -c "
	printf 'directory { backend = redis\n redis = \"unix:$S/none.sock\" }\nreader { program = \"$BUILD/missent-reader\" }\n' >'$S/redis.conf'
	cp '$S/site.key' '$S/state/'
	'$BUILD/missent' -c '$S/redis.conf' check --to a@alpha.example '$S/wrong.eml'; [ \$? = 75 ]"
ok '... a dry run says that it compared nothing' says 75 'was not compared with the mapping in use' \
	"$BUILD/missent" -c "$S/redis.conf" directory import -n "$S/m.csv"
ok '... and how many lines are fine' grep -q '4 entries (nobody knows how many are in use)' "$S/said"
ok '... a file alone is looked at all the same' says 0 '0 bad' "$BUILD/missent" -c "$S/redis.conf" directory lint "$S/m.csv"
printf 'this is no database, but long enough to be looked at\n' >"$S/state/held.db"
ok 'a database that is none' says 78 'held.db: file is not a database' missent held list
ok '... status says that it is not known what is held' says 1 'held now     not known: ' missent status
rm -f "$S/state/held.db"
cp "$SOURCE/policies/kinds-us.conf" "$SOURCE/policies/kinds-nl.conf" "$S/policies/"
ok "kinds of countries beside kinds.conf" says 0 ' 32 kinds, 4 policies' missent config check
printf 'kind "iban" {\n	pattern = {"x"}\n}\n' >"$S/policies/kinds-zz.conf"
ok '... a kind that is there already' says 78 'kinds-zz.conf:1: kind "iban" is defined in' missent config check
printf 'kind "new" {\n	patern = {"x"}\n}\n' >"$S/policies/kinds-zz.conf"
ok '... a mistake in one is told with its line' says 78 'kinds-zz.conf:2: no such option' missent config check
rm "$S/policies/kinds-"*
printf '\npolicy "x" {\n	kindz = {"iban"}\n}\n' >"$S/policies/typo.conf"
ok 'a typing mistake in a policy' says 78 'typo.conf:3: no such option '\''kindz'\''; did you mean "kinds"?' missent config check
ok '... missentd says the same and does not start' says 78 'did you mean "kinds"?' missentd -t
rm "$S/policies/typo.conf"
mv "$S/policies/kinds.conf" "$S/kinds.away"
ok 'no kinds.conf' says 78 'copy the kinds.conf there that comes with missent' missent config check
mv "$S/kinds.away" "$S/policies/kinds.conf"
ok 'a second site key' says 65 'it is kept' missent directory key
if [ "$(id -u)" = 0 ]; then
	ok 'root is refused' says 77 'refusing to run as root' missentd
	sed 's/^mode/user = "root"\nmode/' "$S/missent.conf" >"$S/root.conf"
	ok '... also as user = root' says 67 'is root' "$BUILD/missentd" -c "$S/root.conf"
	# Whatever root tries first: missentd comes as another user, and finds a state folder all of which is his.
	mkdir "$S/his"
	chown 65534 "$S/his"
	sed "s,^state-dir.*,state-dir = \"$S/his\"," "$S/missent.conf" >"$S/his.conf"
	ok 'root looks whether it would start' "$BUILD/missentd" -c "$S/his.conf" -t
	ok '... imports a mapping' "$BUILD/missent" -c "$S/his.conf" directory import "$S/m.csv"
	ok '... pauses it' says 0 'paused' "$BUILD/missent" -c "$S/his.conf" pause --for 1h --why test
	ok '... and has left nothing that is not its user'\''s' [ -z "$(find "$S/his" ! -user 65534)" ]
fi
sed 's/^mode/user = "nobody"\nmode/; s/^socket.*/socket = "inet:nowhere"/' "$S/missent.conf" >"$S/sock.conf"
ok 'a socket that is none' says 78 'inet:host:port' "$BUILD/missentd" -c "$S/sock.conf"
ok 'missent-reader by hand' says 64 'not by hand' "$BUILD/missent-reader"
# Each command in an example of a manual page or of the README is one that there is, with options that there are: --help
# comes behind them, so that it is looked at and not done.
examples() {
	sed -n 's/^\.Dl \(sudo \)\{0,1\}\(.*\)/\2/p; /^\.Bd -literal/,/^\.Ed/p' "$SOURCE"/milter/*/*.[1578]
	sed -n 's/^    \(sudo \)\{0,1\}\(missent .*\)/\2/p; s/^|.*| `\(missent .*\)` |$/\1/p' "$SOURCE/README.md"
}
wrong= seen=0
while IFS= read -r line; do
	case $line in *'| missent '*) line="missent ${line#*| missent }" ;; esac
	case $line in "missent "*) ;; *) continue ;; esac
	line=$(printf '%s\n' "$line" | sed "s/[ 	]#.*//; s/[|>&].*//; s/\\\\\&//g; s/[$]ID/4jXfpR2nhgz1bY/g")
	case $line in *...*|*'<'*) continue ;; esac
	seen=$((seen + 1))
	(cd "$S" && eval "set -- ${line#missent }" && "$BUILD/missent" -c "$S/missent.conf" "$@" --help) >"$S/said" 2>&1 </dev/null ||
		wrong="$wrong$line: $(tail -1 "$S/said")
"
done <<EXAMPLES
$(examples)
EXAMPLES
ok 'commands in examples of manual pages are there' test -z "$wrong" -a $seen -gt 50
printf '%s' "$wrong" | sed 's/^/# /'
mkdir "$S/shown"
cp "$S/policies/kinds.conf" "$S/shown/"
sed -n 's/@example.com/@seller.example/; s/^    //; /^policy "/,/^}/p' "$SOURCE/README.md" >"$S/shown/policy.conf"
sed '/^mode/i policy-dir = "'"$S"'/shown"' "$S/missent.conf" >"$S/shown.conf"
ok 'there is a policy in the README' grep -q '^}' "$S/shown/policy.conf"
ok '... which is one' says 0 '' "$BUILD/missent" -c "$S/shown.conf" policy check
ok '... and has nothing odd' says 0 'nothing is odd' "$BUILD/missent" -c "$S/shown.conf" policy lint
# What who looks something up expects of each page.
lacking= pages=0
for page in "$SOURCE"/milter/*/*.[1578]; do
	pages=$((pages + 1))
	for section in FILES EXAMPLES $(case $page in *.[18]) echo 'EXIT STATUS' | tr ' ' _ ;; esac); do
		grep -qx "\.Sh $(echo $section | tr _ ' ')" "$page" || lacking="$lacking${page##*/}: no $section
"
	done
done
ok 'manual pages have files, examples and exit codes' test -z "$lacking" -a $pages -gt 10
printf '%s' "$lacking" | sed 's/^/# /'
echo 1..$n
