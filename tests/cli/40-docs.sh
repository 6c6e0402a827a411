# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The manual pages, docs/commands.md and the completion agree with the program: the same verbs, options,
# exit codes, reasons and keys, no more and no fewer; their examples work. Sourced by run.

man8=docs/flowreeve.8 man5=docs/flowreeve-policy.5 md=docs/commands.md
completion=deploy/completion/flowreeve.bash

skip() { printf 'skip - %s: %s\n' "$1" "$2"; } # WHAT REASON

# A page's source with plain minus signs; of one section (.Sh or .Ss), up to the next.
page() { sed 's/\\-/-/g' "$1"; }
section() { # PAGE HEADING
	page "$1" | awk -v heading="$2" '/^\.S[hs] / { inside = (substr($0, 5) == heading) } inside'
}
items() { sed -nE "s/^\.It $1 ([^ ]+).*/\1/p"; } # MACRO

# ---------------------------------------------------------------- verbs, options, codes

attempt --help
verbs=$(sed -nE 's/^  ([a-z]+)  .*/\1/p' "$work/out")
codes=$(sed -nE 's/^  ([0-9]+)  .*/\1/p' "$work/out")
same_words "$man8: commands" "$verbs help" "$(section $man8 COMMANDS | items Cm)"
same_words "$man8: exit status" "$codes" "$(section $man8 'EXIT STATUS' | sed -nE 's/^\.It ([0-9]+)$/\1/p')"
# Each documented code is one that some command gives.
names=$(sed -nE '/^enum exit_code/,/^}/s/^\t(EXIT_[A-Z_]+).*/\1/p' user/invocation/invocation.h)
same_words 'exit codes: each is given by a command' "$names" "$(grep -hoE '\bEXIT_[A-Z_]+\b' user/cmd/*.c user/invocation/*.c)"
same_words 'exit codes: each is documented' "$(wc -l <<<"$names")" "$(wc -l <<<"$codes")"
same_words "$md: commands" "$verbs" "$(sed -nE 's/^\| `([a-z]+).*/\1/p' $md)"
while read -r heading; do
	if [ -n "$(section $man8 "$heading")" ]; then
		ok "$md: $heading is a section of $man8"
	else
		not_ok "$md: $heading is a section of $man8" 'no such section'
	fi
done < <(sed -nE 's/^\| `[a-z].*\| ([A-Z, ]+) \|$/\1/p' $md | sed 's/, /\n/g' | sort -u)

synopsis() { # VERB
	section $man8 SYNOPSIS | awk -v verb="$1" '
		$0 == ".Nm" { begun = 1; next }
		begun && $1 == ".Cm" { inside = ($2 == verb) }
		{ begun = 0 }
		inside && /^\.Op Fl Fl / { print $4 }
		inside && $3 != "help" && /^\.Fl Fl / { print $3 }'
}

all_options=
for verb in $verbs; do
	attempt "$verb" --help
	options=$(sed -nE 's/^  --([a-z-]+) .*/\1/p' "$work/out" | grep -vx help)
	all_options+=" $options"
	same_words "$man8: options of $verb" "$options" "$(synopsis "$verb")"
done
same_words "$man8: options" "$all_options help" "$(section $man8 OPTIONS | items 'Fl Fl')"
same_words "$md: options" "$all_options" "$(grep '^| `--' $md | cut -d '|' -f 2 | grep -oP '`--\K[a-z-]+')"
same_words "$man8: reasons" "$(sed -nE '/^#define FR_REASONS/,/^$/s/^\tX\([A-Z_]+, "([a-z-]+)"\).*/\1/p' bpf/abi.h)" \
	"$(section $man8 VERDICTS | items Ql)"
same_words "$man8: environment" "$(grep -rhoP 'getenv\("\K[A-Z_]+' user)" "$(section $man8 ENVIRONMENT | items Ev)"

# ---------------------------------------------------------------- keys

# One unknown key in every map: the hints list the known ones.
stray='not-a-key-at-all: 1'
cat >"$work/stray.yaml" <<END
apiVersion: flowreeve/v1
kind: Policy
$stray
mode: audit
metadata: {$stray}
attach: {$stray}
prefixes: {x: {$stray}}
use: [{$stray}]
rules: [{$stray}]
failsafe: [{$stray}]
default: {$stray}
builtin: {$stray}
timeouts: {$stray}
END
cat >"$work/stray-table.yaml" <<END
apiVersion: flowreeve/v1
kind: PortTable
$stray
metadata: {$stray}
params: {x: {$stray}, v: {type: version}}
roles: {x: {$stray, expect: {$stray}}}
rows: [{$stray, source: {$stray}, when: {v: {$stray}}}]
END
cat >"$work/stray-document.yaml" <<END
apiVersion: flowreeve/v1
kind: PortTable
metadata: {name: x, document: {$stray}}
END
cat >"$work/stray-site.yaml" <<END
apiVersion: flowreeve/v1
kind: Site
$stray
mode: audit
metadata: {$stray}
use: [{$stray}]
hosts: {x: {$stray}}
END
# Only the maps that no policy has.
cat >"$work/stray-resolved.yaml" <<END
apiVersion: flowreeve/v1
kind: ResolvedPolicy
$stray
source: {$stray}
tables: [{$stray}]
prefixes: {x: {$stray}}
rules: [{$stray}, {id: x, direction: egress, peer: any, ports: any, action: allow, row: {$stray}}]
failsafe: [{$stray}]
END
declare -A headings=(
	['a policy']='The document' ['a table']='The table' ["'attach'"]=attach ['a prefix set']=prefixes
	['a site']='The site' ['a use of a site']='use of a site' ['a host']=hosts
	['a use']=use ['a rule']=rules ['a failsafe entry']=failsafe ["'default'"]=default
	["'builtin'"]=builtin ["'timeouts'"]=timeouts ['a param']=params ['a role']=roles
	['a resolved policy']='The resolved policy' ['the source']='source of a policy'
	['a used table']='tables of a policy' ['a set of addresses']='prefixes of a resolved policy'
	['a resolved rule']='rules of a resolved policy' ['the row of a rule']='row of a rule'
	['a resolved failsafe entry']='failsafe of a resolved policy'
	["'expect'"]=expect ["'document'"]=document ['a row']=rows ["'source'"]=source ['a range of versions']=versions)
maps=0
for file in stray stray-table stray-document stray-site stray-resolved; do
	headings["'metadata'"]=metadata
	[ $file != stray-table ] || headings["'metadata'"]='Metadata of a table'
	attempt check --json "$work/$file.yaml"
	while IFS=$'\t' read -r what keys; do
		heading=${headings[$what]:-no such heading}
		same_words "$man5: keys of $what" "${keys//,/}" "$(section $man5 "$heading" | items Cm)"
		maps=$((maps + 1))
	done < <(jq -r '.files[].diagnostics[] | select(.check == "unknown-key") |
		[(.message | sub(" has no key .*"; "")), (.hint | sub("^one of: "; ""))] | @tsv' "$work/out")
done
known=$(cat user/{yaml,tables,policy,site}/*.c | grep -cE 'want_keys\((job->)?d, ')
if [ $maps = "$known" ]; then
	ok 'the keys of every map are asked for'
else
	not_ok 'the keys of every map are asked for' "the sources have $known kinds of maps, this test knows $maps"
fi

# ---------------------------------------------------------------- readings of the vendors' tables

# Each of A1 ... A45 is documented, and pinned: by a fact that it is a reading of, a case or a test; the
# counts of rows are true.
for number in {1..45}; do
	documented=$(grep -c "^| A$number |" docs/tables.md)
	pinned=$(find tests/cases -maxdepth 1 -name "a$(printf %02d "$number")-*" | wc -l)
	pinned=$((pinned + $(cat tests/facts/*.json | grep -c "\"A$number\"")))
	pinned=$((pinned + $(grep -cE "\(A$number\)|/\* A$number \*/" tests/unit/tables_facts.c)))
	if [ "$documented" = 1 ] && [ $pinned -gt 0 ]; then
		ok "docs/tables.md: A$number is documented and pinned"
	else
		not_ok "docs/tables.md: A$number is documented and pinned" "documented $documented times, pinned $pinned times"
	fi
done
while read -r table rows; do
	attempt check "policies/tables/$table.yaml"
	if grep -q "table of $rows rows" "$work/out"; then
		ok "docs/tables.md: rows of $table"
	else
		not_ok "docs/tables.md: rows of $table" "$(cat "$work/out")"
	fi
done < <(sed -nE 's/^\| `([a-z-]+)` \|.*\| ([0-9]+) \|$/\1 \2/p' docs/tables.md)

# ---------------------------------------------------------------- diagnostics

# A table ends at a blank line: lines after it without a head of their own are not shown as rows.
broken=$(awk 'FNR == 1 { row = blank = 0 }
	/^\|/ && row && blank { line = FILENAME ":" FNR; getline; if ($0 !~ /^\| *-/) print line }
	{ if (/^\|/) { row = 1; blank = 0 } else if (/^$/) blank = row; else row = blank = 0 }' ./*.md docs/*.md)
[ -z "$broken" ] && ok 'no table of a document is torn' || not_ok 'no table of a document is torn' "$broken"

# The first string of each call is the id; syntax faults carry theirs. tests/unit/policy_docs.c compares the
# ids of files in both directions.
mapfile -t ids < <({
	find user -name '*.c' -exec cat {} + | tr '\n' ' ' |
		grep -oP 'diag_(error|warning|note)\([^;"]*"\K[a-z0-9]+(-[a-z0-9]+)*(?=")'
	cat user/*/*.c | grep -oP '(\.|->)check = "\K[a-z-]+(?=")'
} | sort -u)
missing=()
for id in "${ids[@]}"; do
	grep -qE "^\| [^|]*\`$id\`" docs/diagnostics.md || missing+=("$id")
done
if [ ${#missing[@]} = 0 ] && [ ${#ids[@]} -gt 90 ]; then
	ok "docs: each of ${#ids[@]} ids of diagnostics is in a table"
else
	not_ok 'docs: each id of diagnostics is in a table' "${#ids[@]} ids" "${missing[@]}"
fi
mapfile -t listed < <(sed -n '/^## Command line/,$s/^| \([^|]*\) |.*/\1/p' docs/diagnostics.md | grep -oP '`\K[a-z0-9-]+')
for id in "${listed[@]}"; do
	grep -rqF "\"$id\"" user --include='*.c' || not_ok "docs/diagnostics.md: $id is given by a command" 'no source has it'
done
[ ${#listed[@]} -gt 60 ] && ok "docs/diagnostics.md: ${#listed[@]} ids of commands" || not_ok 'docs/diagnostics.md: ids of commands' "${#listed[@]}"

# ---------------------------------------------------------------- links

# Each link of a document that is installed leads to another one, to a place in one, or out of the machine.
make -s install-documents DESTDIR="$work/root" PREFIX=/usr >/dev/null
installed=$work/root/usr/share/doc/flowreeve
headings() { sed -nE 's/^#+ (.*)/\1/p' "$1" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n_-'; } # FILE
dead=() links=0
while IFS=: read -r document link; do
	links=$((links + 1))
	target=${link%%#*} place=
	[[ $link != *#* ]] || place=${link#*#}
	case $target in
	http://* | https://* | mailto:*) continue ;;
	'') path=$document ;;
	*) path=$(dirname "$document")/$target ;;
	esac
	if [ ! -f "$path" ]; then
		dead+=("${document#"$installed/"}: $link is not installed")
	elif [ -n "$place" ] && ! headings "$path" | grep -qx -- "$place"; then
		dead+=("${document#"$installed/"}: $link has no such heading")
	fi
done < <(find "$installed" -name '*.md' -exec grep -oHE '\]\([^) ]+\)' {} + | sed 's/:](/:/; s/)$//')
if [ ${#dead[@]} = 0 ] && [ $links -gt 10 ]; then
	ok "each of $links links of installed documents leads somewhere"
else
	not_ok "each of $links links of installed documents leads somewhere" "${dead[@]}"
fi

# ---------------------------------------------------------------- lessons

# Every test that docs/lessons.md names is there.
missing=()
named=0
while read -r name; do
	named=$((named + 1))
	case $name in
	e2e/*) [ -x "tests/$name.sh" ] || missing+=("$name") ;;
	counts/*) [ -x "tests/$name" ] || missing+=("$name") ;;
	cases/*) [ -f "tests/$name/cases" ] || missing+=("$name") ;;
	*) grep -qE "^(RIG_TEST|Test)\\(${name%%::*}, ${name##*::}\\b" tests/unit/*.c tests/kernel/*.c || missing+=("$name") ;;
	esac
done < <(grep '^|' docs/lessons.md | grep -oE '`[a-z0-9_]+(::|/)[a-z0-9_-]+`' | tr -d '`')
if [ ${#missing[@]} = 0 ] && [ $named -gt 50 ]; then
	ok "docs/lessons.md: each of $named tests is there"
else
	not_ok 'docs/lessons.md: each test is there' "$named named" "${missing[@]}"
fi

# ---------------------------------------------------------------- examples

# Literal blocks after a comment `file: NAME`.
mkdir -p "$work/examples/tables"
page $man5 | awk -v to="$work/examples/" '
	/^\.\\" file: / { file = to $3; next }
	/^\.Bd -literal/ { inside = (file != ""); next }
	/^\.Ed/ { inside = 0; file = ""; next }
	inside { gsub(/\\&/, ""); gsub(/\\e/, "\\"); print >file }'
examples=0
for example in "$work"/examples/*.yaml "$work"/examples/tables/*.yaml; do
	exits "$man5: example ${example##*/}" 0 '' check --strict --tables policies/tables "$example"
	grep -q ': warning: ' "$work/err" && not_ok "$man5: example ${example##*/}: no warning" "$(cat "$work/err")"
	examples=$((examples + 1))
done
[ $examples = 4 ] && ok "$man5: the examples were found" || not_ok "$man5: the examples were found" "$examples"

# The page's answer of explain is how the real answer begins.
shown=$(section $man8 EXAMPLES | sed -nE '/^\$ flowreeve explain datasync/,/^  \.\.\.$/p' | sed 's/\\(->/→/; $d')
read -ra words < <(head -1 <<<"$shown")
attempt explain "policies/examples/${words[3]}" "${words[@]:4}"
if [ "$(sed 1d <<<"$shown")" = "$(head -$(($(wc -l <<<"$shown") - 1)) "$work/out")" ]; then
	ok "$man8: the example of explain"
else
	not_ok "$man8: the example of explain" "$shown" "$(cat "$work/out")"
fi

# ---------------------------------------------------------------- form of the pages

for page in $man8 $man5; do
	if ! command -v mandoc >/dev/null; then
		skip "$page: mandoc finds nothing" 'no mandoc here'
	elif said=$(mandoc -Tlint "$page" 2>/dev/null | grep -v 'STYLE: referenced manual not found'); then
		not_ok "$page: mandoc finds nothing" "$said"
	else
		ok "$page: mandoc finds nothing"
	fi
	if ! man --version 2>/dev/null | grep -q '^man [0-9]'; then
		skip "$page: groff finds nothing" 'no man-db here'
		continue
	fi
	said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$page" 2>&1 >"$work/page")
	wide=$(LC_ALL=C.UTF-8 col -bx <"$work/page" | LC_ALL=C.UTF-8 wc -L)
	if [ -n "$said" ]; then
		not_ok "$page: groff finds nothing" "$said"
	elif [ "$wide" -gt 80 ] || [ "$wide" -lt 40 ]; then
		not_ok "$page: fits 80 columns" "$wide"
	else
		ok "$page: groff finds nothing, and it fits 80 columns"
	fi
done

# ---------------------------------------------------------------- completion

# The completions that bash would offer at the end of a line, one word a line.
offered() { # LINE
	# shellcheck disable=SC2016 # for the inner bash
	bash --norc --noprofile -c '
		. /usr/share/bash-completion/bash_completion
		. '$completion'
		_flowreeve_seconds=60
		COMP_WORDBREAKS=$'"' \\t\\n=:'"' COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9
		read -ra COMP_WORDS <<<"${1//=/ = }"
		[[ $1 != *[[:space:]=] ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_flowreeve flowreeve "" ""
		printf "%s\n" "${COMPREPLY[@]}"' - "$1" 2>"$work/err"
}
offers() { # NAME WANTED LINE
	local found
	found=$(offered "$3")
	same_words "completion: $1" "${2:-nothing}" "${found:-nothing}"
}

if [ ! -r /usr/share/bash-completion/bash_completion ]; then
	skip completion 'no bash-completion here'
else
	offers verbs "$verbs help --help --version" 'flowreeve '
	for verb in $verbs; do
		attempt "$verb" --help
		offers "options of $verb" "$(sed -nE 's/^  (--[a-z-]+) .*/\1/p' "$work/out")" "flowreeve $verb --"
	done
	offers 'the beginning of an option' '--pin-root --policy' 'flowreeve status --p'
	offers 'a mode' 'audit enforce' 'flowreeve apply --mode '
	offers 'a mode after =' enforce 'flowreeve apply --mode=e'
	offers 'a number is not guessed' '' 'flowreeve monitor --count '
	offers 'files and directories' 'tests/cli/input/answers.yaml tests/cli/input/enforce.yaml tests/cli/input/good.yaml
		tests/cli/input/local.yaml tests/cli/input/tables tests/cli/input/wrong.yaml' \
		'flowreeve check --strict tests/cli/input/'
	offers 'after -- no options' '' 'flowreeve check -- --'
	offers 'one policy, no second' '' 'flowreeve compile a.yaml '
	offers 'what show shows' 'rules flows drops policy' 'flowreeve show '
	offers 'tables' "$(basename -a -s .yaml policies/tables/*.yaml | grep ^aws)" 'flowreeve roles --tables policies/tables aws'
	mkdir "$work/odd"
	# shellcheck disable=SC2016 # a name that a shell would run
	touch "$work/odd/plain.yaml" "$work/odd/"'$(touch${IFS}ran)plain.yaml'
	offers 'names of files are not run' plain "flowreeve roles --tables $work/odd pl"
	if [ -e ran ]; then rm -f ran && not_ok 'completion ran a name' ran; else ok 'completion runs no name'; fi
	offers 'a table as a value' 'qumulo qumulo-extras' 'flowreeve new --tables policies/tables --table q'
	offers 'editions to compare' 'aws-datasync aws-datasync@2026-11' 'flowreeve diff --tables policies/tables aws-datasync'
	offers 'the edition to compare with' 'aws-datasync aws-datasync@2026-11' \
		'flowreeve diff --tables policies/tables aws-datasync@2026-11 aws-datasync'
	offers 'roles of the table' 'mediator management-lif management-host' \
		"$flowreeve new --tables policies/tables --table snapmirror-active-sync --as m"
	offers 'params of the table' 'region=' "$flowreeve roles --tables policies/tables aws-datasync reg"
	offers 'no roles without a table' '' "$flowreeve new --as m"
	offers 'hosts of a site' "$("$flowreeve" check --tables policies/tables policies/examples/site.yaml | awk '/^    / { print $1 }')" \
		"$flowreeve plan --tables policies/tables policies/examples/site.yaml --host "
	for kind in interfaces guests; do
		offers "$kind of this host" "$(ls /sys/class/net | grep -vx lo)" "flowreeve new --attach $kind="
	done
	offers 'a direction' 'egress ingress' 'flowreeve explain --mode enforce a.yaml '
	mkdir -p "$work/pins/web" "$work/pins/db"
	offers 'the file of a policy' tests/cli/input/good.yaml 'flowreeve coverage --source tests/cli/input/g'
	offers 'applied policies' 'web db' "flowreeve status --pin-root $work/pins "
	offers 'applied policies, after rules' web "flowreeve show rules --pin-root=$work/pins w"
	offers 'keys of a filter' "$(sed -nE 's/^\t\{"([a-z]+)", FILTER_.*/\1/p' user/observe/filter.c) and web db" \
		"flowreeve show flows --pin-root $work/pins "
	offers 'values of a filter' 'drop' "flowreeve monitor --pin-root $work/pins peer 10.0.0.0/8 and verdict d"
	offers 'a guard' 'session nothing-allowed' 'flowreeve apply --force '
	offers 'an applied policy as a value' db "flowreeve zero --pin-root $work/pins --policy d"
	offers 'commands of help' 'show status' 'flowreeve help s'
	printf '#!/bin/sh\ncat <<END\n%s\n%s\n%s\n\n%s\n%s\n%s\nEND\n' 'web  counters since' 'RULE  ROW' \
		'acme/nfs  x' 'db' 'RULE ROW' 'ssh  -' >"$work/stand-in"
	chmod +x "$work/stand-in"
	offers 'rules of what is applied' 'acme/nfs ssh' "$work/stand-in zero --pin-root $work/pins "
	offers 'no rules where nothing is applied' '' "$work/stand-in zero --pin-root $work/absent "
fi
if ! command -v shellcheck >/dev/null; then
	skip "$completion: shellcheck finds nothing" 'no shellcheck here'
elif said=$(shellcheck $completion); then
	ok "$completion: shellcheck finds nothing"
else
	not_ok "$completion: shellcheck finds nothing" "$said"
fi
