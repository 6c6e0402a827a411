# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `import`: documents of every shape that it claims to read, none of which the shipped tables come from;
# each draft passes check, and its rows are those of NAME.rows. Then everything that is no document.
# Sourced by run.

# A draft's rows: LINE FROM > TO PORTS, and the number of comments about text that was not understood.
import_rows() # DRAFT
{
	awk '/^    from: / { from = $2 } /^    to: / { to = $2 }
		/^    ports: / { sub(/^    ports: /, ""); ports = $0 }
		/^    source: / { match($0, /line: [0-9]+/); print substr($0, RSTART + 6, RLENGTH - 6), from, ">", to, ports }
		/^  # only when: / { print }
		/^  # - \{/ { match($0, /ports: \[[^]]*\]/); print "candidate", substr($0, RSTART, RLENGTH) }
		/^  # line [0-9]+: / { left++ } END { print "left", left + 0 }' "$1"
}

for document in tests/cli/documents/*; do
	name=${document##*/}
	expected=${document%.*}.rows
	[ "$document" != "$expected" ] || continue
	attempt import --name drafted "$document"
	cp "$work/out" "$work/drafted.yaml"
	import_rows "$work/drafted.yaml" >"$work/rows"
	if [ "$status" != 0 ]; then
		not_ok "import $name" "exit $status" "$(cat "$work/err")"
	elif [ -n "${UPDATE:-}" ]; then
		cp "$work/rows" "$expected"
		ok "import $name (written)"
	elif ! difference=$(diff "$expected" "$work/rows"); then
		not_ok "import $name" '< expected, > drafted' "$difference"
	else
		ok "import $name"
	fi
	exits "import $name: check accepts the draft" 0 '' check "$work/drafted.yaml"
done

# ---------------------------------------------------------------- documents with their facts

# tests/import/corpus, written without a look at the reader, and a smallest page for each kind of fault.
for directory in tests/import/corpus tests/import/kinds; do
	if report=$(tests/import/measure --flowreeve "$flowreeve" "$directory"); then
		ok "import: the facts of $directory"
	else
		not_ok "import: the facts of $directory" "$report"
	fi
done

# ---------------------------------------------------------------- input that is no document

# Refused with 3, a message, and nothing on stdout.
refused() # WHAT PATTERN FILE
{
	exits "import: $1" 3 "$2" import "$3"
	[ ! -s "$work/out" ] || not_ok "import: $1: no half of a draft" "$(head -3 "$work/out")"
}

: >"$work/empty"
printf '%%PDF-1.7\n1 0 obj\nTCP port 443\n' >"$work/ports.pdf"
printf '\177ELF\2\1\1\0\0\0' >"$work/binary"
printf '\377\376P\0o\0r\0t\0' >"$work/utf16.txt"
truncate -s 50M "$work/huge.html"
printf '# No ports\n\nOnly words.\n' >"$work/words.md"
refused 'an empty file' 'the document is empty \[empty-file\]' "$work/empty"
refused 'a PDF' 'a PDF \[not-text\]' "$work/ports.pdf"
refused 'a binary file' 'a binary file: .* \[not-text\]' "$work/binary"
refused 'UTF-16' 'UTF-16 instead of UTF-8 \[not-text\]' "$work/utf16.txt"
for encoding in UTF-16LE UTF-16BE UTF-32LE UTF-32BE; do
	printf '| Port |\n|---|\n| 443/tcp |\n' | iconv -f UTF-8 -t $encoding >"$work/$encoding.md"
	refused "$encoding without a mark" "$encoding instead of UTF-8 \[not-text\]" "$work/$encoding.md"
	grep -q "iconv -f $encoding -t UTF-8" "$work/err" && ok "import: $encoding: what to do" || not_ok "import: $encoding: what to do" "$(cat "$work/err")"
done
printf '\377\376\0\0P\0\0\0' >"$work/utf32.txt"
refused 'UTF-32' 'UTF-32 instead of UTF-8 \[not-text\]' "$work/utf32.txt"
mkfifo "$work/page-fifo"
refused 'a FIFO' 'write its content to a file first' "$work/page-fifo"
refused 'an endless device' 'not a regular file.* \[file-unreadable\]' /dev/zero
for table in "$work/page-fifo" "$work/empty" "$work/utf16.txt" "$work/huge.html" /dev/zero "$work"; do
	exits "import --against: ${table##*/} as the table" 3 '\[(file-unreadable|file-too-big|empty-file|wrong-kind|unknown-table)\]' import --against "$table" tests/cli/documents/tabs.txt
	[ ! -s "$work/out" ] || not_ok "import --against: ${table##*/}: nothing is written" "$(head -3 "$work/out")"
done
refused 'a page of 50 MB' 'over 4 MB.* \[file-too-big\]' "$work/huge.html"
refused 'a directory' '\[file-unreadable\]' "$work"
refused 'a file that is not there' '\[file-unreadable\]' "$work/absent"
refused 'a pipe' 'not a regular file \[file-unreadable\]' /dev/null
refused 'a page without ports' 'no row was drafted \[no-rows\]' "$work/words.md"
if [ "$(id -u)" = 0 ]; then
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups env)
	cp "$work/words.md" "$work/secret.md" && chmod 600 "$work/secret.md"
	[ -x "$(command -v setpriv)" ] && refused 'a file that others may not read' '\[file-unreadable\]' "$work/secret.md"
	as=(env)
fi
exits 'import: a name that is none' 2 "'Not A Name' cannot be the name of a table" import --name 'Not A Name' "$work/words.md"
exits 'import: no file' 2 'usage' import

# Ports in sentences alone: comments, and exit 3.
printf 'Agents send data over TCP port 1500.\n' >"$work/prose.txt"
exits 'import: sentences alone are no rows' 3 'no row was drafted \[no-rows\]' import "$work/prose.txt"
if grep -q '^  # - {id: peer-1500, .*ports: \[1500/tcp\]' "$work/out"; then
	ok 'import: their ports are comments'
else
	not_ok 'import: their ports are comments' "$(cat "$work/out")"
fi

# YAML's word for nothing, as a file's name, a cell and a purpose.
printf '| From | To | Port | Purpose |\n|---|---|---|---|\n| NULL | b | 22/tcp | null |\n| b | Null | 23/tcp | Null |\n' >"$work/null.md"
exits 'import: rows, roles and a table called null' 0 '' import "$work/null.md"
cp "$work/out" "$work/null.yaml"
exits 'import: check accepts a table called null' 0 '' check "$work/null.yaml"

# A full disk is reported; deep nesting, endless spans and long lines end in time and memory.
if [ -w /dev/full ]; then
	"$flowreeve" import tests/cli/documents/tabs.txt >/dev/full 2>"$work/err"
	status=$?
	if [ $status = 1 ] && grep -q 'not written completely' "$work/err"; then
		ok 'import: a full disk is reported'
	else
		not_ok 'import: a full disk is reported' "exit $status" "$(cat "$work/err")"
	fi
fi
ends() # WHAT FILE
{
	attempt import "$2"
	case $status in
	0 | 3) ok "import: $1 ends" ;;
	*) not_ok "import: $1 ends" "exit $status" "$(head -3 "$work/err")" ;;
	esac
}
repeat() { head -c "$2" < <(yes "$1" | tr -d '\n'); } # TEXT BYTES
{ repeat '<table><tr><td>' 1000000; } >"$work/deep.html"
{ repeat '> ' 500000; echo '| Port |'; } >"$work/quotes.md"
{ repeat '[' 500000; } >"$work/brackets.md"
{ echo '<table><tr><th>Port</th><th>Protocol</th></tr>'
	repeat '<tr><td colspan=1000 rowspan=65000>443<td>TCP</tr>' 2000000; } >"$work/spans.html"
{ repeat '{% if x %}' 1000000; } >"$work/ifs.md"
{ printf '| Port | Protocol |\n|---|---|\n| '; repeat '443, ' 2000000; echo '| TCP |'; } >"$work/long.md"
{ printf '|a'; repeat '|a' 60000; printf '\n|-'; repeat '|-' 60000; printf '\n'; yes '|1' | head -60000; } >"$work/wide.md"
{ printf 'Port\nProtocol\nUse\n'; yes $'443\nTCP\nweb' | head -300000; } >"$work/flat.txt"
{ echo 'From,To,Port'; yes 'a,b,443/tcp,c,d,e,f,g,h,i' | head -110000; } >"$work/million.csv"
{ echo 'From,To,Port'; echo 'a,b,"443/tcp'; yes 'c,d,80/tcp' | head -1000; } >"$work/quotes.csv"
{ printf '|===\n|From |To |Port\n\n'; yes '|a |b |443/tcp' | head -200000; } >"$work/unclosed.adoc"
{ printf '.. list-table::\n\n'; yes '   * - a' | head -200000; } >"$work/list.rst"
{ printf 'From      To      Port\n'; yes 'a         b       443/tcp' | head -100000; } >"$work/aligned.txt"
{ yes '+---+---+' | head -300000; } >"$work/borders.rst"
{ yes '====  ====' | head -300000; } >"$work/simple.rst"
{ repeat '<If condition={' 1000000; } >"$work/elements.mdx"
{ yes '[tabs]=== "a"' | head -100000; yes '=== "a"' | head -100000; } >"$work/tabs.md"
printf '# Ports\n\n| Port |\n|---|\n| 4\0003/tcp |\n' >"$work/nul.md"
refused 'a million cells' 'million.csv:[0-9]*:[0-9]*: .*more than 262144 cells.* \[too-many-cells\]' "$work/million.csv"
refused 'quotes that never close' 'quotes.csv:2:[0-9]*: .*never close \[bad-csv\]' "$work/quotes.csv"
refused 'a NUL byte' 'nul.md:5:[0-9]*: .*NUL byte.* \[not-text\]' "$work/nul.md"
ends 'a table of AsciiDoc that never closes' "$work/unclosed.adoc"
ends 'a list of 200,000 rows' "$work/list.rst"
ends '100,000 rows of columns of spaces' "$work/aligned.txt"
ends 'nothing but borders' "$work/borders.rst"
ends 'nothing but lines of simple tables' "$work/simple.rst"
ends 'elements that never close' "$work/elements.mdx"
ends 'tabs in tabs' "$work/tabs.md"
ends 'tables in tables in tables' "$work/deep.html"
ends 'quotes in quotes in quotes' "$work/quotes.md"
ends 'brackets that never close' "$work/brackets.md"
ends 'cells that span thousands' "$work/spans.html"
{ printf '| Port |\n|---|\n'; repeat '|a' 1000000; } >"$work/wide-row.md"
ends 'a row of 500,000 cells' "$work/wide-row.md"
grep -q 'wide-row.md:3:1: warning: .*\[too-many-cells\]' "$work/err" && ok 'import: ... and says where' || not_ok 'import: ... and says where' "$(head -3 "$work/err")"
{ printf 'From,To'; printf ',x%d' {1..68}; printf ',Port\nA,B'; printf ',y%.0s' {1..68}; printf ',443/tcp\n'; } >"$work/columns.csv"
attempt import "$work/columns.csv"
grep -q 'columns.csv:1:1: warning: .*those beyond are not read \[too-many-cells\]' "$work/err" && ok 'import: cells beyond the 64th: says so' || not_ok 'import: cells beyond the 64th: says so' "$(cat "$work/err")"
printf '|===\n|Port |From\n|1/tcp |caf\351\n' >"$work/places.adoc"
attempt import "$work/places.adoc"
[ "$(grep -cE 'places.adoc:[13]:1: warning' "$work/err")" = 2 ] && ok 'import: columns count from 1' || not_ok 'import: columns count from 1' "$(cat "$work/err")"
ends 'conditions in conditions' "$work/ifs.md"
ends 'a cell of two megabytes' "$work/long.md"
ends 'a table of sixty thousand columns' "$work/wide.md"
ends 'a hundred thousand flattened rows' "$work/flat.txt"
