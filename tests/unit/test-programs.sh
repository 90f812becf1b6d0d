#!/bin/sh
# What programs read of the tool: --json of each command that has it, which the manual tells; and whether the manual
# says what --help says.  TAP.
. "$SOURCE/tests/unit/tap.sh"
py=${PYTHON:-python3}
make_site
# Ends with CODE and prints JSON of which the expression is true: j is the object, or a list of those of the lines.
json() { # CODE EXPRESSION COMMAND...
	code=$1 true=$2
	shift 2
	missent "$@" >"$S/said" 2>"$S/complaints" </dev/null
	got=$?
	cat "$S/said" "$S/complaints"
	echo "exit $got, wanted $code and $true"
	[ $got = "$code" ] && "$py" -c 'import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
j = rows[0] if len(rows) == 1 else rows
sys.exit(not eval(sys.argv[2]))' "$S/said" "$true"
}
says() { # CODE WORDS COMMAND...
	code=$1 words=$2
	shift 2
	missent "$@" >"$S/said" 2>&1 </dev/null
	got=$?
	cat "$S/said"
	echo "exit $got, wanted $code and \"$words\""
	[ $got = "$code" ] && grep -qF -e "$words" "$S/said"
}

ok 'the manual says what --help says, and nothing else' "$py" "$SOURCE/milter/cli/manual.py" "$BUILD/missent" "$SOURCE/milter/cli/missent.1"
for change in 's/Fl Fl seconds/Fl Fl secnds/' '/^.It Ic pause/d' 's/^\.It Ic resume/.It Ic resume Op Fl Fl now/' '/^\.Fl Fl yes$/d'; do
	sed "$change" "$SOURCE/milter/cli/missent.1" >"$S/changed.1"
	ok "... a change is found: $change" sh -c "! '$py' '$SOURCE/milter/cli/manual.py' '$BUILD/missent' '$S/changed.1'"
done
page() { # PROGRAM: prints the page that its --help names
	echo "$SOURCE"/milter/*/"$("$BUILD/$1" --help | sed -n 's/.*See \(.*\)(8)\.$/\1.8/p')"
}
for program in missentd missent-agent missent-review missent-release missent-reader missent-reader-text missent-ocr missent-picture; do
	[ -x "$BUILD/$program" ] || continue
	ok "... of $program" "$py" "$SOURCE/milter/cli/manual.py" "$BUILD/$program" "$(page "$program")"
done
for change in 'missentd s/^\(.It Fl s\) Ar socket/\1/' 'missentd s/-config/-confg/' 'missentd s/^.Op Fl t$/.Op Fl T/' 'missent-agent s/^\.It Fl r/.It Fl w/' 'missent-review /^\.It Fl V/d' 'missent-release /^\.It Ic requeue/d' 'missent-release s/^\.It Ic show/.It Ic shew/' 'missent-release s/Fl q/Fl x/'; do
	program=${change%% *}
	sed "${change#* }" "$(page "$program")" >"$S/changed.8"
	ok "... a change is found: $change" sh -c "! '$py' '$SOURCE/milter/cli/manual.py' '$BUILD/$program' '$S/changed.8'"
done

missent directory key >/dev/null
printf 'account,kind,value\nALPHA,recipient,@alpha.example\nALPHA,customer-number,C-10001\nRESELLER,receives-for,ALPHA\nRESELLER,recipient,@reseller.example\n' >"$S/m.csv"
printf 'account,kind,value\nALPHA,customer-number,C-10001\nBETA,customer-number,C-20001\n' >"$S/other.csv"
printf 'account,kind,value\nALPHA,recipient,@gmail.com\nALPHA,customer-number,C-10001\nALPHA,iban,DE00\n' >"$S/odd.csv"
missent directory import "$S/m.csv" >/dev/null 2>&1
ok 'directory lookup: whose it is' json 0 'j == {"kind": "customer-number", "known": True, "accounts": ["ALPHA"], "receivers": ["RESELLER"]}' directory lookup --json customer-number C-10001
ok '... a recipient' json 0 'j == {"kind": "recipient", "known": True, "accounts": ["ALPHA"]}' directory lookup --json recipient a@alpha.example
ok '... nobody'"'"'s' json 1 'j["known"] is False and j["accounts"] == []' directory lookup --json customer-number C-99999
ok '... what is no value is no JSON' json 65 'j == []' directory lookup --json iban DE00
ok 'directory lint: nothing' json 0 'j == {"exit": 0, "lines": 0, "bad": 0, "warnings": 0, "findings": []}' directory lint --json
ok '... of a file' json 1 'j["exit"] == 1 and j["bad"] == 1 and [(f["line"], f["weight"]) for f in j["findings"]][:2] == [(2, "warning"), (4, "bad")]' directory lint --json "$S/odd.csv"
ok '... and nothing beside it' test ! -s "$S/complaints"
ok 'directory verify' json 0 'j["exit"] == 0 and j["wrong"] == 0 and j["entries"] == 4 and j["complaints"] == []' directory verify --json
ok '... against a file' json 1 'j["exit"] == 1 and (j["rows_right"], j["rows_wrong"]) == (1, 1) and j["complaints"][0]["line"] == 3' directory verify --json --against "$S/other.csv"
ok 'audit witness: none' json 0 'j == []' audit witness --json
ok '... --forget prints nothing for programs' says 64 'not both' audit witness --json --forget mx1
ok 'review token list: none' json 0 'j == []' review token list --json
missent review token add bills --role reviewer --days 30000 >/dev/null
missent review token add more >/dev/null
ok '... two' json 0 '[(t["name"], t["role"], t["expires"] is not None and t["expires"] > 4000000000, t["last_used"]) for t in j] == [("bills", "reviewer", True, None), ("more", "viewer", False, None)]' review token list --json
ok '... whose end no clock has' says 64 'from 1 to 36500' review token add --days 2000000000 far
ok '... an option of another verb' says 64 'Unknown option --role' review token delete --role viewer more
ok '... a verb that is none' says 64 'did you mean "list"?' review token lst

printf 'correct horse battery\n' | missent review adduser anna >/dev/null 2>&1
printf 'correct horse battery\n' | missent review adduser erna --role administrator --download >"$S/said" 2>&1
ok 'review adduser: one that is new' sh -c "! grep already '$S/said'"
ok '... that was there is told' says 0 'account "erna" was there already, administrator, may download: it is set anew (' review adduser --no-password erna
ok '... with its password' sh -c "printf 'correct horse battery\n' | '$BUILD/missent' -c '$S/missent.conf' review adduser erna 2>&1 | grep 'was there already, reviewer: it is set anew, with its password'"
missent review deluser erna >/dev/null
for words in 'deluser ana' 'moduser ana --disable' 'passwd ana' 'token add t --for ana'; do
	ok "... an account that is mistyped: $words" says 65 'there is no account "ana"; did you mean "anna"?' review $words
done

# Who thinks better of it at a password has a terminal that shows what he types, as before.
ok 'a password that is given up' "$py" -c 'import os, pty, signal, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
while b"password:" not in seen: seen += os.read(fd, 1000)
while termios.tcgetattr(fd)[3] & termios.ECHO: pass
os.write(fd, b"secret\x03")
status = os.waitpid(pid, 0)[1]
sys.exit(not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT and termios.tcgetattr(fd)[3] & termios.ECHO))
' "$BUILD/missent" -c "$S/missent.conf" review adduser carl
missent directory put 'MÜLLER' customer-number C-77777 >/dev/null
for locale in C C.UTF-8; do
	LC_ALL=$locale
	export LC_ALL
	ok "an option in UTF-8, in the locale $locale" says 75 '0 messages' held list --account 'MÜLLER'
done
unset LC_ALL
ok '... one that is none' says 64 '--account: "M\xdc" is not UTF-8' held list --account "$(printf 'M\334')"

# What explain proposes has masked values: who would type them is told where the others are.
printf 'From: billing@seller.example\nTo: b@nobody.example\n\ncustomer number: C-10001\n' >"$S/wrong.eml"
ok 'explain: a command with a masked value says how to see it' says 0 'is shown by --reveal' explain "$S/wrong.eml"
ok '... and with it says nothing' sh -c "'$BUILD/missent' -c '$S/missent.conf' explain --reveal '$S/wrong.eml' | grep -q \"customer-number.*C10001\\|C-10001\" && ! '$BUILD/missent' -c '$S/missent.conf' explain --reveal '$S/wrong.eml' | grep 'shown by'"

# A message of the trail, and what it was judged by.
keep() { # WHAT TEXT: prints its digest
	id=$(printf '%b' "$2" | sha256sum | cut -c1-32)
	mkdir -p "$S/state/audit.texts"
	printf '%b' "$2" >"$S/state/audit.texts/$1-$id"
	echo "$id"
}
before=$(keep policies '# mode = observe\n# of March\n')
now=$(keep policies '# mode = enforce\n# of now\n')
kinds=$(keep kinds 'kind "x" {\n}\n')
touch -d '2026-03-01 10:00' "$S/state/audit.texts/policies-$before" "$S/state/audit.texts/kinds-$kinds"
judged() { # QUEUE-ID POLICIES
	printf '{"time":"2026-03-04T10:11:12.000000Z","type":"message","queue_id":"%s","versions":{"policies":"%s","kinds":"%s"}}\n' "$1" "$2" "$kinds"
}
rm -rf "$S/state/audit" "$S/state/audit.vkey"
{ judged 4jXfpR2nhgz1bY "$before"; judged 4jXfpR2nhgz1bZ 0123456789abcdef; judged REUSED "$before"; judged REUSED "$now"; } | "$BUILD/tests/tools/trail-writer" "$S/state/audit" >/dev/null
ok 'audit versions: what judged it' says 0 '# of March' audit versions 4jXfpR2nhgz1bY
ok '... and when' says 0 "policies $before, by which it was judged 2026-03-04" audit versions 4jXfpR2nhgz1bY
ok '... its kinds' says 0 'kind "x" {' audit versions --kinds 4jXfpR2nhgz1bY
ok '... a queue ID that came again: both' json 0 '[r["text"] for r in j] == ["# mode = observe\n# of March\n", "# mode = enforce\n# of now\n"]' audit versions --json REUSED
ok '... a digest' json 0 'j["what"] == "policies" and j["judged"] is None and j["text"].endswith("of now\n")' audit versions --json "$now"
ok '... all that are kept' json 0 'sorted(r["what"] for r in j) == ["kinds", "policies", "policies"] and j[-1]["kept"] > j[0]["kept"]' audit versions --json
ok '... of before they were kept' says 66 'is not kept' audit versions 4jXfpR2nhgz1bZ
ok '... no such message' says 65 'no message in the audit trail has this queue ID' audit versions 4jXfpR2nhgz1bQ
ok '... an empty word' says 64 'is an empty word' audit versions ''
ok '... two at once' says 64 'one message' audit versions a b
echo '# not so' >>"$S/state/audit.texts/policies-$before"
ok '... one that was changed is not believed' says 65 'was changed' audit versions 4jXfpR2nhgz1bY
ok '... nor shown' sh -c "! '$BUILD/missent' -c '$S/missent.conf' audit versions $before 2>/dev/null | grep ."
ok 'audit verify: nothing is wrong' json 0 'j["exit"] == 0 and j["entries"] == 4 and j["complaints"] == j["remarks"] == []' audit verify --json
for time in 10:00:00 09:00:00 09:30:00; do
	printf '{"time":"2026-03-04T%s.000Z","type":"beat","host":"mx"}\n' "$time"
done | "$BUILD/tests/tools/trail-writer" "$S/times" >/dev/null
ok '... a clock that was set, and a hole, are remarks' json 2 'j["exit"] == 2 and j["wrong"] == 0 and j["complaints"] == [] and [(r["entry"], r["why"].split(",")[0].split(" from")[0]) for r in j["remarks"]] == [(1, "the clock went back"), (2, "missentd did not say that it lives")]' audit verify --json --folder "$S/times"
cp -r "$S/state/audit" "$S/damaged"
sed -i 's/REUSED/AGAINE/' "$S"/damaged/head.*
ok '... what is, in a folder' json 1 'j["exit"] == 1 and j["wrong"] == len(j["complaints"]) > 0 and j["complaints"][0]["why"]' audit verify --json --folder "$S/damaged"
ok 'audit rejudge' json 0 'j["judged"] == 4 and j["again"] == 0 and j["not_seen"]["without_digests"] == 4 and j["messages"] == []' audit rejudge --json --directory "$S/m.csv"

# Who did what?  Of a release the trail has digests of its recipients; a record that is gone names nobody.
act() { # DAY WHO EVENT ABOUT MORE
	printf '{"time":"2026-03-%sT10:11:12.000Z","type":"act","who":"%s","client":"shell","event":"%s","about":"%s"%s}\n' "$1" "$2" "$3" "$4" "$5"
}
rm -rf "$S/state/audit" "$S/state/audit.vkey" "$S/state/audit.checkpoint"
{ judged 4jXfpR2nhgz1bY 0123456789abcdef; act 04 anna log-in '' ''; act 04 anna release 0011223344556677 ',"detail":"done","key":"00000000","recipients":2,"to":["a","b"]'
act 05 bob delete 8899aabbccddeeff ',"detail":"done","recipients":1,"to":["c"]'; act 06 missent forget '' ',"detail":"3 records"'; } | "$BUILD/tests/tools/trail-writer" "$S/state/audit" >/dev/null
ok 'audit acts: all, in their order' json 0 '[(r["who"], r["act"], r["recipients"]) for r in j] == [("anna", "log-in", 0), ("anna", "release", 2), ("bob", "delete", 1), ("missent", "forget", 0)]' audit acts --json
ok '... of one person' json 0 '[r["act"] for r in j] == ["log-in", "release"]' audit acts --json --who anna
ok '... of one day' json 0 'j["who"] == "bob" and j["line"] == 3 and j["time"] == 1772705472' audit acts --json --from 2026-03-05 --to 2026-03-06
ok '... of one sort' json 0 'j["about"] == "0011223344556677" and j["to"] == []' audit acts --json --act release
ok '... about one message' json 0 'j["who"] == "bob"' audit acts --json --about 8899aabbccddeeff
ok '... in words' says 0 'done, to 2 recipients whose record is gone' audit acts --who anna
ok '... of before the trail nothing is known' says 0 'the trail begins at' audit acts --from 2026-03-01
rm -rf "$S/twice"
for i in 1 2; do act 05 bob delete 8899aabbccddeeff ',"decision":"d1","detail":"done","recipients":1,"to":["c"]'; done | "$BUILD/tests/tools/trail-writer" "$S/twice" >/dev/null
ok '... what a crash had told twice counts once' says 0 '1 act; 1 line is told again after an interruption' audit acts --trail "$S/twice.jsonl"
ok '... and both lines are there' json 0 '[(r["decision"], r["again"]) for r in j] == [("d1", False), ("d1", True)]' audit acts --json --trail "$S/twice.jsonl"
ok '... nobody of that name' says 66 'none of "ana"; did you mean "anna"?' audit acts --who ana
ok '... who did something else' says 66 'no such act of this time' audit acts --who bob --act release
ok '... an act that is none' says 64 'did you mean "release"?' audit acts --act relese
ok '... another trail that is none' says 65 'no-trail' audit acts --trail "$S/no-trail.jsonl"
ok '... a time to come' says 64 '--from' audit acts --from 2100-01-01
echo 1..$n
