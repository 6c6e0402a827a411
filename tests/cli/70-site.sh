# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# A site: check reports on all its hosts, plan writes the policy of one or of all, and every mistake in
# an inventory is reported with its place. Sourced by run.

site=policies/examples/site.yaml
golden sites/check 0 check $site
golden sites/plan-agent 0 plan $site --host dma1
golden sites/plan-node 0 plan $site --host db3
json_is 'a site as JSON' 0 '.files[0] | .kind == "Site" and (.hosts | length) == 7 and
	.hosts[0].roles[0] == {table: "dataminer", role: "agent"} and (.hosts[0].image.digest | length) == 64' check $site
golden sites/unknown-host 3 plan $site --host db4
exits 'a site is no policy' 3 'wrong-kind' apply $site
exits 'and the hint says what to do' 3 'flowreeve plan FILE --host NAME' compile $site
exits 'a policy is no site' 3 'this is a Policy; a Site is expected here \[wrong-kind\]' \
	plan policies/examples/nfs-server.yaml --host a
exits 'plan of nobody' 2 'plan needs either --host NAME or --all' plan $site
exits 'plan of one and of all' 2 'plan needs either --host NAME or --all' plan $site --host db1 --all --dir "$work/d"
exits 'plan of all, to nowhere' 2 '--all needs --dir' plan $site --all
exits 'plan of one, to a directory' 2 '--dir goes with --all' plan $site --host db1 --dir "$work/d"
exits 'check --mode enforce of a site' 0 '' check --mode enforce $site

# ---------------------------------------------------------------- all hosts at once

mkdir "$work/plans" "$work/site"
plans=$work/plans/dms
exits 'plan of all' 0 '' plan $site --all --dir "$plans"
[ "$(cat "$work/out")" = "7 policies in $plans" ] && ok 'plan of all: the count' || not_ok 'plan of all: the count' "$(cat "$work/out")"
for file in "$plans"/*; do
	host=${file##*/} host=${host%.yaml}
	attempt plan $site --host "$host"
	cmp -s "$work/out" "$file" && ok "plan of all: $host as alone" || not_ok "plan of all: $host as alone" "$(diff "$work/out" "$file")"
	exits "check accepts the plan of $host" 0 '' check --strict --tables policies/tables "$file"
	[ ! -s "$work/err" ] || not_ok "the plan of $host: nothing to say" "$(cat "$work/err")"
done

# The directory's files, and files beside it.
listing() { (cd "$work/plans" && find . -type f -exec sha256sum {} + | sort -k2); }

sed '/^  search2:/d; s/search1, search2/search1/' $site >"$work/site/site.yaml"
exits 'plan of all, with a host less' 0 '' plan --tables policies/tables "$work/site/site.yaml" --all --dir "$plans/"
if [ -e "$plans/search2.yaml" ] || [ "$(find "$work/plans" | wc -l)" != 8 ]; then
	not_ok 'a host that is gone has no policy, and nothing else is left' "$(find "$work/plans")"
else
	ok 'a host that is gone has no policy, and nothing else is left'
fi

whole() { # NAME STATUS PATTERN ARGS...: refused, and what was there is as it was
	local before name=$1
	before=$(listing)
	exits "$@"
	[ "$before" = "$(listing)" ] && [ "$(find "$work/plans" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ] &&
		ok "$name: all is as it was" || not_ok "$name: all is as it was" "$(find "$work/plans")"
}
sed 's/10.40.1.12/10.40.1.11/' $site >"$work/site/wrong.yaml"
whole 'plan of a wrong site' 3 'duplicate-address' plan --tables policies/tables "$work/site/wrong.yaml" --all --dir "$plans"
echo precious >"$plans/notes.txt"
whole 'plan over a foreign file' 3 'notes.txt., which .plan. did not write' plan $site --all --dir "$plans"
rm "$plans/notes.txt"
mkdir "$plans/sub"
whole 'plan over a foreign directory' 3 'sub., which .plan. did not write' plan $site --all --dir "$plans"
rmdir "$plans/sub"
as=(bash -c "trap '' XFSZ; ulimit -f 1; exec \"\$@\"" bash)
whole 'plan to a full disk' 1 'cannot be written: File too large' plan $site --all --dir "$plans"
as=(env)
whole 'plan into a file' 1 'Not a directory' plan $site --all --dir "$plans/db1.yaml"
whole 'plan below what is not there' 1 'No such file' plan $site --all --dir "$work/absent/dms"
ln -s "$plans" "$work/link"
exits 'plan to where a link leads' 0 '' plan $site --all --dir "$work/link"
[ -L "$work/link" ] && [ -f "$plans/search2.yaml" ] && ok 'the link stays a link' || not_ok 'the link stays a link' "$(ls -l "$work")"

# A prefix set keeps its file, wherever the policy goes; a host has the sets that it names.
cp $site "$work/site/sets.yaml"
echo 192.0.2.0/28 >"$work/site/nets.txt"
sed -i 's/^use:/prefixes: {nets: {file: nets.txt}}\nuse:/; s/client: \[/client: [prefixes\/nets, /' "$work/site/sets.yaml"
attempt plan --tables policies/tables "$work/site/sets.yaml" --host dma2
cp "$work/out" "$work/plans/set.yaml"
exits 'a prefix file from elsewhere' 0 '' check --tables policies/tables "$work/plans/set.yaml"
exits 'as the policy has it' 0 '' explain --tables policies/tables "$work/plans/set.yaml" ingress tcp 192.0.2.3:443
grep -q '^pass  rule=dataminer/web-clients ' "$work/out" && ok 'and it lets them in' || not_ok 'and it lets them in' "$(cat "$work/out" "$work/err")"
attempt plan --tables policies/tables "$work/site/sets.yaml" --host db1
grep -q prefixes "$work/out" && not_ok 'a host has only the sets that it names' "$(cat "$work/out")" || ok 'a host has only the sets that it names'

# ---------------------------------------------------------------- mistakes in an inventory

for file in tests/cli/sites/*.yaml; do
	name=${file##*/} name=${name%.yaml}
	tables=policies/tables
	[ "$name" != broken-tables ] || tables=tests/cli/sites/tables
	golden "sites/$name" 3 check --tables $tables "$file"
done
json_is 'a wrong site as JSON' 3 '(.files[0].ok | not) and all(.files[0].diagnostics[]; .line > 0)' \
	check --tables policies/tables tests/cli/sites/unknown-words.yaml
sed 's/10.40.1.11/FILL-IN/' $site >"$work/site/open.yaml"
exits 'a site with open choices' 3 'open.yaml:.*this choice is still to be made \[fill-in\]' check "$work/site/open.yaml"
: >"$work/site/empty.yaml"
exits 'an empty site' 3 'empty-file' plan "$work/site/empty.yaml" --host a
for size in 63 64; do
	name=$(printf "%0$((size - 4))d" 0 | tr 0 a)
	sed "s/\\bdb1\\b/$name/g" $site >"$work/site/long.yaml"
	attempt check --tables policies/tables "$work/site/long.yaml"
	case $size:$status in
	63:0 | 64:3) ok "a policy's name of $size characters" ;;
	*) not_ok "a policy's name of $size characters" "exit $status" "$(cat "$work/err")" ;;
	esac
done

# Two hundred hosts.
{
	sed '/^use:/,$d' $site
	printf 'use:\n  - table: dataminer\n    edition: 2026-11\n    set: {transport: grpc}\n    without: [snmp-poll, snmp-trap, elasticsearch, cloud-gateway]\n'
	printf '    roles:\n      client: [10.50.0.0/16]\n      agent: [dma1]\n      nats-server: [dma1]\n      cassandra:\n'
	printf '        - db%s\n' {1..200}
	printf 'hosts:\n  dma1: {addresses: [10.0.0.1]}\n'
	for number in {1..200}; do echo "  db$number: {addresses: [10.1.0.$number]}"; done
} >"$work/site/many.yaml"
exits 'a site of 201 hosts' 0 '' check --tables policies/tables "$work/site/many.yaml"
exits 'and their policies' 0 '' plan --tables policies/tables "$work/site/many.yaml" --all --dir "$work/many"
[ "$(find "$work/many" -name '*.yaml' | wc -l)" = 201 ] && ok 'each has one' || not_ok 'each has one'
