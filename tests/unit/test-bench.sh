#!/bin/sh
# The benches, on documents that they make themselves, so that they go on working.  TAP.
. "$SOURCE/tests/unit/tap.sh"
PYTHON=${PYTHON:-python3}

planted() { # a planting in each format, each of which can be made
	"$PYTHON" "$SOURCE/tests/bench/planted" --build "$BUILD" --per 2 --verbose --verify 20 >"$S/planted"
	cat "$S/planted"
	tail -1 "$S/planted" | grep -Eq '^planted: [1-9][0-9]* found, [0-9]+ told as unread, [0-9]+ in structural places, [0-9]+ silent of [4-9][0-9]$' \
		&& ! grep -Eq '^(not made|differs): |: not used: ' "$S/planted"
}

corpus() { # a folder as the others want it
	mkdir -p "$S/corpus/mail"
	echo 'account,kind,value' >"$S/corpus/mail/mapping.csv"
	echo 'A,customer,KX60-85405-6219' >>"$S/corpus/mail/mapping.csv"
	echo 'A,iban,DE00' >>"$S/corpus/mail/mapping.csv"
	for i in 1 2 3 4 5; do echo "A,recipient,max$i@buyer.example"; done >>"$S/corpus/mail/mapping.csv"
	echo 'A,recipient,max@buyer.example' >>"$S/corpus/mail/mapping.csv"
	printf 'message\tmail_from\trecipients\tverdict\n' >"$S/corpus/mail/expect.tsv"
	printf '1.eml\tbilling@seller.example\tmax@buyer.example\tclean\n' >>"$S/corpus/mail/expect.tsv"
	printf 'From: billing@seller.example\nTo: max@buyer.example\nSubject: Invoice\n\nYour customer number: KX60-85405-6219\n' \
		>"$S/corpus/mail/1.eml"
	echo '<html><body><p>Customer KX60-85405-6219 and nobody</p></body></html>' >"$S/corpus/a.html"
}

mail() { # says which row of the mapping was refused
	"$PYTHON" "$SOURCE/tests/bench/mail" --build "$BUILD" "$S/corpus/mail" >"$S/mail"
	cat "$S/mail"
	grep -q '^refused: A iban DE00: ' "$S/mail" && tail -1 "$S/mail" | grep -q '^verdicts: 1 right of 1;'
}

same() {
	"$PYTHON" "$SOURCE/tests/bench/same" "$BUILD" "$BUILD" "$S/corpus" >"$S/same"
	tail -3 "$S/same" | tee /dev/stderr | grep -q '^same: 0 of 3 files differ; '
}

referee() {
	"$PYTHON" "$SOURCE/tests/bench/referee" --build "$BUILD" "$S/corpus" >"$S/referee"
	tail -9 "$S/referee" | tee /dev/stderr | grep -Eq '^referee: 0 of [1-9][0-9]* words missing in 0 files$'
}

producers() { # none is needed
	"$PYTHON" "$SOURCE/tests/bench/producers" --build "$BUILD" --only qpdf >"$S/producers"
	tail -9 "$S/producers" | tee /dev/stderr | grep -Eq '^producers: [0-9]+ of [0-9]+ right \([0-9]+ told as unread\), 0 wrong, '
}

judging() { # with the smallest sizes
	tests/bench/judging 2 >"$S/judging"
	tail -9 "$S/judging" | tee /dev/stderr | grep -Eq '^judging: slopes recipients [0-9.-]+, findings '
}

holding() {
	tests/bench/holding 0.1 >"$S/holding"
	tail -9 "$S/holding" | tee /dev/stderr | grep -Eq '^holding: 64 threads: [1-9][0-9]* a second apart, '
}

precision() { # of one right message: it goes
	"$PYTHON" "$SOURCE/tests/bench/precision" --build "$BUILD" "$S/corpus/mail" >"$S/precision"
	tail -9 "$S/precision" | tee /dev/stderr \
		| grep -q '^precision: false holds 0 of 1 right, 0.00 % (0.00 to 79.35); leaks 0 of 0 wrong, '
}

to_learn() { # four customers, five invoices each, and one of them to a wrong one
	mkdir -p "$S/learn"
	echo 'account,kind,value' >"$S/learn/mapping.csv"
	printf 'message\tcase\tmail_from\trecipients\tverdict\tforeign\town\n' >"$S/learn/expect.tsv"
	for c in 1 2 3 4; do
		printf 'A%s,customer,KX-9000%s\nA%s,recipient,a@b%s.example\n' $c $c $c $c >>"$S/learn/mapping.csv"
		for i in 1 2 3 4 5; do
			to_learn_one right $c $c$i "$c" "" "customer=KX-9000$c"
		done
	done
	to_learn_one wrong 2 wrong 3 "customer=KX-90003" ""
}

to_learn_one() { # CASE RECIPIENT NAME CUSTOMER FOREIGN OWN
	printf 'From: b@seller.example\nTo: a@b%s.example\n\nCustomer number: KX-9000%s\n' $2 $4 >"$S/learn/$3.eml"
	printf '%s.eml\t%s\tb@seller.example\ta@b%s.example\tclean\t%s\t%s\n' $3 $1 $2 "$5" "$6" >>"$S/learn/expect.tsv"
}

learning() {
	to_learn
	"$PYTHON" "$SOURCE/tests/bench/learning" --build "$BUILD" "$S/learn" >"$S/learning"
	tail -9 "$S/learning" | tee /dev/stderr \
		| grep -q '^learning: precision 100.0% (4 of 4), recall 100.0% (4 of 4), 1 of 1 planted pairs among 1 conflicts$'
}

corpus
ok planted planted
ok mail mail
ok same same
ok referee referee
ok producers producers
ok judging judging
ok holding holding
ok precision precision
ok learning learning
echo "1..$n"
