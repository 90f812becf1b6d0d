#!/bin/sh
# What packages are made of: completion tells what the tool takes; AppArmor's profiles parse; what is to be installed
# to build and to run is no more than that.  TAP.
. "$SOURCE/tests/unit/tap.sh"
skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

for shell in bash zsh; do
	./missent completion $shell >"$S/$shell" || exit 1
done
sed -n "/^_missent_table=/,/^END/p" "$S/bash" | sed '1d;$d' >"$S/table"
told() { # every verb and option that --help tells is completed, and nothing else
	cut -f 1,2 "$S/table" | sort >"$S/completed"
	: >"$S/helped"
	printf '\n' | cat - "$S/table" | awk -F '\t' 'NR == 1 { print ""; next } $2 !~ /^-/ { print ($1 == "" ? $2 : $1 " " $2) }' |
		grep -vE '^completion (bash|zsh)$' >"$S/paths"
	while IFS= read -r path; do
		LC_ALL=C ./missent $path --help >"$S/help" 2>&1 || { echo "missent $path --help fails"; return 1; }
		cat "$S/help" >>"$S/helps"
		sed -nE 's/^  (-[a-zA-Z], )?(--[a-z0-9-]+).*/\2/p' "$S/help" | sed "s/^/$path	/" >>"$S/helped"
		# A table of verbs has no options section.
		grep -q '^Usage:' "$S/help" ||
			{ sed -nE 's/^  ([a-z][a-z-]*) .*/\1/p' "$S/help" | sed "s/^/$path	/"; } >>"$S/helped"
	done <"$S/paths"
	sort -u "$S/helped" >"$S/helped.sorted"
	[ "$(wc -l <"$S/helped.sorted")" -gt 200 ] || { echo "only $(wc -l <"$S/helped.sorted") words"; return 1; }
	grep -vE '^completion	(bash|zsh)$' "$S/completed" | diff "$S/helped.sorted" -
}
ok 'completion has what --help tells, and nothing else' told
ok 'no line of it is longer than 100 columns' sh -c '! grep -E "^.{101}" "$1"' sh "$S/helps"
typed() { # WORDS..., WANT: what bash offers for the last word
	for want in "$@"; do :; done
	bash -c '. "$1"; shift; COMP_WORDS=(missent "${@:1:$#-1}"); COMP_CWORD=$(($# - 1)); _missent; echo "${COMPREPLY[*]}"' \
		bash "$S/bash" "$@" >"$S/got"
	tr '\n' ' ' <"$S/got" | sed 's/ $//' >"$S/line"
	echo "want <$want>, got <$(cat "$S/line")>"
	[ "$(cat "$S/line")" = "$want" ]
}
if bash -c : 2>/dev/null; then
	ok 'bash: a command' typed hel held
	ok 'bash: a verb' typed held relea release
	ok 'bash: an option' typed held release --rig --rightful
	ok 'bash: after the settings file' typed -c 'a b.conf' audit verif verify
	ok 'bash: words that stand in the summary' typed config sho show
	ok 'bash: after an argument, options of the command' typed directory import x.csv --max-s --max-shrink
	ok 'bash: a file where no word fits' typed check inv ''
	ok 'bash: nothing below what is no command' typed nonsense re ''
else
	skip 'bash' 'bash is not installed'
fi
in_zsh() { # WORDS..., WANT
	for want in "$@"; do :; done
	zsh -f -c '. $1; shift; words=(missent "${@[1,-2]}"); CURRENT=$#words; _files() { print files; }
		_describe() { for item in ${(P)4}; do [[ $item == $words[-1]* ]] && print -r -- $item; done }; _missent' \
		zsh "$S/zsh" "$@" >"$S/got" 2>&1
	echo "want <$want>, got <$(cat "$S/got")>"
	[ "$(cat "$S/got")" = "$want" ]
}
if command -v zsh >/dev/null; then
	ok 'zsh: a command, and what it is' in_zsh hel 'held:list, show, release, return and delete held mail'
	ok 'zsh: a verb' in_zsh audit verif 'verify:is the trail whole? against a kept checkpoint too'
	ok 'zsh: an option' in_zsh held release --rig '--rightful:only to those with a right to it
files'
	ok 'zsh: a file where no word fits' in_zsh check inv files
	mkdir "$S/site" && cp "$S/zsh" "$S/site/_missent"
	ok 'zsh: compinit finds it' zsh -f -c "fpath=($S/site \$fpath); autoload -Uz compinit; compinit -D -u; [[ \$_comps[missent] == _missent ]]"
	ok 'zsh: nothing below what is no command' in_zsh nonsense re ''
else
	skip 'zsh' 'zsh is not installed'
fi

for profile in "$SOURCE"/contrib/apparmor/*; do
	if command -v apparmor_parser >/dev/null; then
		ok "AppArmor: ${profile##*/} parses" apparmor_parser -Q -K "$profile"
	else
		skip "AppArmor: ${profile##*/} parses" 'apparmor_parser is not installed'
	fi
done

# Folders are locked, too: whose is this socket, this spool, this state?
ok 'AppArmor: a folder that may be written to may be locked' sh -c \
	"! grep -nE '^ *[^# ]*/ r?w[a-jl-z]*,' '$SOURCE'/contrib/apparmor/*"

section() { awk -v want="[$1]" '/^\[/ { on = $0 == want; next } { sub(/#.*/, "") } on && NF { print $1 }' "$SOURCE/contrib/packages"; }
needs() { # SECTION PACKAGE
	section "$1" | grep -qx "$2"
}
for package in chromium redis-server lintian clang; do
	ok "$package is not needed to build or to run" sh -c \
		"! awk '/^\[/ { on = \$0 == \"[build]\" || \$0 == \"[run]\" } on' '$SOURCE/contrib/packages' | grep -x $package"
done
ok 'the linter of packages is needed by who makes them' needs package lintian
in_spec() { # what configure asks pkg-config for, the rpm spec names too
	for library in $(sed -nE 's/^(MS_NEED|PKG_CHECK_MODULES)\(\[[A-Z0-9]+\], \[([^]]*)\].*/\2/p' "$SOURCE/configure.ac" |
		sed -E 's/ ?>= [0-9.]+//g'); do
		grep -q "pkgconfig($library)" "$SOURCE/contrib/missent.spec" || { echo "$library is not in the spec"; return 1; }
		[ -n "$library" ] && told=$((told + 1))
	done
	[ $told -gt 20 ]
}
told=0
ok 'the rpm spec names every library that configure asks for' in_spec
ok 'quickstart installs what building and running need' grep -qx '"$top/contrib/install-packages" build run quickstart' "$SOURCE/contrib/quickstart"
mkdir "$S/bin" "$S/contrib"
cp "$SOURCE/contrib/install-packages" "$S/contrib"
printf '[run]\npostfix\n' >"$S/contrib/packages"
for tool in id dpkg-query debconf-set-selections apt-get; do
	printf '#!/bin/sh\necho "%s $*" >>"%s/asked"\n' $tool "$S" >"$S/bin/$tool"
	chmod 755 "$S/bin/$tool"
done
echo 'echo 0' >>"$S/bin/id"
echo 'case " $* " in *" -s "*) echo "Remv sendmail-bin [8.17]"; echo "Inst postfix (3.7)" ;; esac' >>"$S/bin/apt-get"
takes_away_nothing() {
	! PATH="$S/bin:$PATH" "$S/contrib/install-packages" run >"$S/said" 2>&1 || { cat "$S/asked"; return 1; }
	cat "$S/said" "$S/asked"
	grep -q 'nothing is installed here: sendmail-bin$' "$S/said" && grep -q '^apt-get .* -s ' "$S/asked" &&
		! grep -v ' -s ' "$S/asked" | grep -qE '^(apt-get install|debconf)'
}
ok 'an MTA that runs here does not make way for Postfix' takes_away_nothing
ok 'building and running need no MTA of their own' sh -c \
	"! awk '/^\[/ { on = \$0 == \"[build]\" || \$0 == \"[run]\" } on' '$SOURCE/contrib/packages' | grep -x postfix"
echo "1..$n"
