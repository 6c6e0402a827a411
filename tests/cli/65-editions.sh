# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Editions of a table: the newest without a word, the one that is written, those that nobody has, two of
# one date, and their difference. Sourced by run.

# stdout has a line like this. NAME STATUS PATTERN ARGS...
says()
{
	local name=$1 want=$2 pattern=$3
	shift 3
	attempt "$@"
	[ "$status" = "$want" ] && grep -qE -- "$pattern" "$work/out" && ok "$name" ||
		not_ok "$name" "exit $status" "$(cat "$work/out" "$work/err")"
}

tables=$work/editions
mkdir "$tables" "$work/editions-after"
table_of() # EDITION PORT EXTRA
{
	cat <<END
apiVersion: flowreeve/v1
kind: PortTable
metadata:
  name: acme
  edition: $1
  document: {title: acme $1, url: "https://docs.example.com/acme", read: 2026-11-30}
params: {web-port: {type: port, default: 443}}
roles: {client: {title: client}, server: {title: server}}
rows:
  - {id: web, from: client, to: server, ports: [$2/tcp]}
  - {id: always, from: client, to: server, ports: ["\${web-port}/tcp"]}
$3
END
}
table_of 2024-09 80 '  - {id: old, from: server, to: client, ports: [21/tcp], optional: true}' >"$tables/acme.yaml"
table_of 2026-11 8080 '  - {id: new, from: client, to: server, ports: [853/udp], optional: true}' >"$tables/acme@2026-11.yaml"
policy_of() # FILE EDITION-KEY
{
	cat >"$work/$1" <<END
apiVersion: flowreeve/v1
kind: Policy
metadata: {name: p}
mode: audit
attach: {interfaces: [eth0]}
failsafe: []
use:
  - {table: acme, ${2}as: client, peers: {server: 10.0.0.1}}
END
}

policy_of newest.yaml ''
policy_of old.yaml 'edition: 2024-09, '
policy_of current.yaml 'edition: 2026-11, '
policy_of nobody.yaml 'edition: 2026-10, '
policy_of list.yaml 'edition: [2026-11], '
says 'without an edition, the newest' 0 '^pass  rule=acme/web' explain --tables "$tables" "$work/newest.yaml" egress tcp 10.0.0.1:8080
says 'the one that is written' 0 '^pass  rule=acme/web' explain --tables "$tables" "$work/old.yaml" egress tcp 10.0.0.1:80
says '... and no other' 0 '^would-drop ' explain --tables "$tables" "$work/old.yaml" egress tcp 10.0.0.1:8080
says 'explain names it' 0 'document +acme, edition 2024-09, read 2026-11-30' explain --tables "$tables" "$work/old.yaml" egress tcp 10.0.0.1:80
exits 'check notes a newer one' 0 "8:28: note: table 'acme' has a newer edition, 2026-11 \[newer-edition\]" check --tables "$tables" "$work/old.yaml"
exits '... with the command that shows it' 0 'flowreeve diff acme@2024-09 acme@2026-11' check --tables "$tables" "$work/old.yaml"
attempt check --tables "$tables" "$work/current.yaml" "$work/newest.yaml"
[ "$status" = 0 ] && ! grep -q newer-edition "$work/err" && ok 'and none of the newest' || not_ok 'and none of the newest' "$(cat "$work/err")"
exits 'an edition nobody has' 3 "nobody.yaml:8:28: error: table 'acme' has no edition '2026-10'; it has 2024-09, 2026-11 \[unknown-edition\]" \
	check --tables "$tables" "$work/nobody.yaml"
exits '... with the near one' 3 "did you mean '2026-11'" check --tables "$tables" "$work/nobody.yaml"
exits 'an edition is a word' 3 "'edition' " check --tables "$tables" "$work/list.yaml"
sed 's/table: acme/table: acme@2024-09/' "$work/newest.yaml" >"$work/at.yaml"
exits 'an edition is no part of the name' 3 'an edition is a key of its own' check --tables "$tables" "$work/at.yaml"
sed -i '/edition:/d' "$tables/acme.yaml"
says 'a table without one is the oldest' 0 '^pass  rule=acme/web' explain --tables "$tables" "$work/newest.yaml" egress tcp 10.0.0.1:8080
rm "$tables/acme@2026-11.yaml"
exits 'a table without editions has none' 3 "table 'acme' has no editions \[unknown-edition\]" check --tables "$tables" "$work/current.yaml"

# ---------------------------------------------------------------- files that contradict

table_of 2026-11 8080 '' >"$tables/acme@2026-11.yaml"
table_of 2026-11 80 '' >"$tables/acme.yaml"
exits 'two of one date' 3 "edition 2026-11 of table 'acme' is in $tables/acme@2026-11.yaml as well \[duplicate-edition\]" \
	check --tables "$tables" "$work/current.yaml"
exits '... without a word too' 3 'duplicate-edition' check --tables "$tables" "$work/newest.yaml"
exits '... and a file alone, at its place' 3 'acme.yaml:5:12: error: edition 2026-11' check "$tables/acme.yaml"
exits '... either of them' 3 'acme@2026-11.yaml:5:12: error: edition 2026-11' check "$tables/acme@2026-11.yaml"
table_of 2026-10 8080 '' >"$tables/acme@2026-11.yaml"
exits 'another edition than the name' 3 "is of edition '2026-10', not '2026-11' like the file \[table-edition\]" check "$tables/acme@2026-11.yaml"
rm "$tables/acme.yaml"
exits '... where it is used' 3 'table-edition' check --tables "$tables" "$work/current.yaml"
for bad in 2026 2026-13 2026-1 11-2026 2026-11-31 newest; do
	table_of $bad 80 '' >"$work/bad-edition.yaml"
	exits "no edition: $bad" 3 "'$bad' is not an edition: year and month, as in 2026-11 \[bad-date\]" check "$work/bad-edition.yaml"
done
table_of 2026-11 80 '' | sed 's/^  edition/  url: https:\/\/a.example\/\n&/' >"$work/bad-edition.yaml"
exits 'an address is in one place' 3 "'url' is a key of 'document' here" check "$work/bad-edition.yaml"

# ---------------------------------------------------------------- roles, diff, new, plan

table_of 2024-09 80 '  - {id: old, from: server, to: client, ports: [21/tcp], optional: true}' >"$tables/acme.yaml"
table_of 2026-11 8080 '  - {id: new, from: client, to: server, ports: [853/udp], optional: true}' >"$tables/acme@2026-11.yaml"
says 'roles lists them' 0 '^edition  2026-11; 2024-09 is older$' roles --tables "$tables" acme
says '... of each' 0 '^edition  2024-09; 2026-11 is newer$' roles --tables "$tables" acme@2024-09
says '... of a file' 0 '^edition  2024-09; 2026-11 is newer$' roles "$tables/acme.yaml"
json_is '... as JSON' 0 '.edition == "2024-09" and .editions == ["2024-09", "2026-11"]' roles --tables "$tables" acme@2024-09
says 'new writes it' 0 '^    edition: 2026-11$' new --tables "$tables" --table acme --as client
says 'new of an older one' 0 '^    edition: 2024-09$' new --tables "$tables" --table acme@2024-09 --as client
exits 'new of one that nobody has' 3 'it has 2024-09, 2026-11' new --tables "$tables" --table acme@2025-01 --as client
(cd "$work" && diff_text=$("$flowreeve" diff --tables "$tables" acme@2024-09 acme@2026-11); echo "$diff_text" >"$work/diff.text")
cat >"$work/diff.want" <<'END'
--- acme@2024-09  acme 2024-09, read 2026-11-30
+++ acme@2026-11  acme 2026-11, read 2026-11-30
changed row web
  - ports: 80/tcp
  + ports: 8080/tcp
gone row old
  - from: server
  - to: client
  - ports: 21/tcp
  - optional: true
new row new
  + from: client
  + to: server
  + ports: 853/udp
  + optional: true
END
cmp -s "$work/diff.text" "$work/diff.want" && ok 'diff of two editions' || not_ok 'diff of two editions' "$(diff "$work/diff.want" "$work/diff.text")"
attempt diff --tables "$tables" acme@2024-09 acme@2026-11
[ "$status" = 4 ] && ok 'diff exits 4' || not_ok 'diff exits 4' "exit $status"
attempt diff --tables "$tables" acme@2024-09 acme@2024-09
[ "$status" = 0 ] && [ ! -s "$work/out" ] && ok 'diff of one with itself: nothing, 0' || not_ok 'diff of one with itself: nothing, 0' "exit $status"
attempt diff --json --tables "$tables" acme@2024-09 acme@2026-11
[ "$status" = 4 ] && jq -e '.schema == "flowreeve/table-diff/v1" and .before.edition == "2024-09" and
	([.changes[] | "\(.change) \(.kind) \(.name)"] == ["changed row web", "gone row old", "new row new"]) and
	.changes[0].fields == [{field: "ports", before: ["80/tcp"], after: ["8080/tcp"]}]' "$work/out" >/dev/null &&
	ok 'diff as JSON' || not_ok 'diff as JSON' "$(cat "$work/out" "$work/err")"
json_is 'the same as JSON' 0 '.changes == []' diff --tables "$tables" acme@2026-11 "$tables/acme@2026-11.yaml"
says 'diff with a file' 4 '^changed row web$' diff "$tables/acme.yaml" "$tables/acme@2026-11.yaml"
exits 'diff of an edition nobody has' 3 "no edition '2020-01'" diff --tables "$tables" acme@2020-01 acme@2026-11
exits 'diff of a table nobody has' 3 "there is no table 'acne'" diff --tables "$tables" acne@2020-01 acme@2026-11
cat >"$work/editions.site.yaml" <<'END'
apiVersion: flowreeve/v1
kind: Site
metadata: {name: s}
mode: audit
attach: {interfaces: [eth0]}
failsafe: []
use:
  - {table: acme, roles: {client: [a], server: [b]}}
hosts: {a: {addresses: 10.0.0.1}, b: {addresses: 10.0.0.2}}
END
says 'plan writes the newest' 0 '^    edition: 2026-11$' plan --tables "$tables" "$work/editions.site.yaml" --host a
sed -i 's/{table: acme,/& edition: 2024-09,/' "$work/editions.site.yaml"
says 'plan writes the one of the site' 0 '^    edition: 2024-09$' plan --tables "$tables" "$work/editions.site.yaml" --host b
attempt check --tables "$tables" "$work/editions.site.yaml"
[ "$status" = 0 ] && [ "$(grep -c newer-edition "$work/err")" = 1 ] && ok 'a site has the note once' || not_ok 'a site has the note once' "$(cat "$work/err")"
# A directory before the share's hides the name; what is written is found behind it.
mkdir -p "$work/behind/mine/tables" "$work/behind/tables"
cp "$work/newest.yaml" "$work/old.yaml" "$work/behind/mine/"
table_of 2023-01 7000 '' >"$work/behind/mine/tables/acme.yaml"
says 'the first directory hides the name' 0 '^pass  rule=acme/web' explain "$work/behind/mine/newest.yaml" egress tcp 10.0.0.1:7000
cp "$tables"/* "$work/behind/tables/"
says 'an edition is found behind it' 0 '^pass  rule=acme/web' explain "$work/behind/mine/old.yaml" egress tcp 10.0.0.1:80

# Given as a path as well.
mkdir "$work/one-date"
sed 's/edition: 2024-09/edition: 2026-11/' "$tables/acme.yaml" >"$work/one-date/acme.yaml"
cp "$tables/acme@2026-11.yaml" "$work/one-date/"
printf '| From | To | Port |\n|---|---|---|\n| client | server | 80/tcp |\n' >"$work/one-date/page.md"
for command in "roles $work/one-date/acme.yaml" "new --table $work/one-date/acme.yaml --as client" \
	"diff $work/one-date/acme.yaml $work/one-date/acme@2026-11.yaml" \
	"import --against $work/one-date/acme.yaml $work/one-date/page.md"; do
	# shellcheck disable=SC2086
	exits "two editions of one date: ${command%% *}" 3 'edition 2026-11 .* is in .* as well \[duplicate-edition\]' $command
	[ ! -s "$work/out" ] || not_ok "two editions of one date: ${command%% *}: nothing is written" "$(head -3 "$work/out")"
done

# ---------------------------------------------------------------- the shipped tables and examples

for example in policies/examples/*.yaml; do
	attempt check --tables policies/tables "$example"
	grep -q newer-edition "$work/err" && not_ok "$example has the newest edition" "$(cat "$work/err")"
	awk '/^  - table: (aws-datasync|aws-mgn|dataminer|qumulo|snapmirror-active-sync)$/ { getline; if ($1 != "edition:") exit 1 }' \
		"$example" || not_ok "$example writes its editions"
done
ok 'each example writes the newest edition'
for table in aws-datasync aws-mgn dataminer snapmirror-active-sync; do
	attempt diff --tables policies/tables $table@2024-09 $table@2026-11
	[ "$status" = 4 ] && ok "$table has two editions" || not_ok "$table has two editions" "$(cat "$work/err")"
done

# ---------------------------------------------------------------- new: several roles, and a file

cat >"$work/cluster.yaml" <<'END'
apiVersion: flowreeve/v1
kind: PortTable
metadata: {name: cluster}
roles: {worker: {title: worker}, control: {title: control plane}, all-nodes: {title: all nodes}, admin: {}}
rows:
  - {id: kubelet, from: control, to: worker, ports: [10250/tcp]}
  - {id: etcd, from: control, to: control, ports: [2379-2380/tcp]}
  - {id: ssh, from: admin, to: all-nodes, ports: [22/tcp]}
END
says 'new: two roles, with a comma' 0 '^    as: \[worker, control\]$' new --table "$work/cluster.yaml" --as worker,control
says 'new: two roles, twice' 0 '^    as: \[worker, control\]$' new --table "$work/cluster.yaml" --as worker --as control
says 'new: a role twice is one' 0 '^    as: worker$' new --table "$work/cluster.yaml" --as worker --as worker
says 'new: both ends of a row are asked for' 0 '^      control: \[FILL-IN\] +# for kubelet, etcd$' new --table "$work/cluster.yaml" --as worker,control
says 'new: ... and the other one' 0 '^      worker: \[FILL-IN\] +# for kubelet$' new --table "$work/cluster.yaml" --as worker,control
says 'new: a member of a cluster has the others as peers' 0 '^      control: \[FILL-IN\] +# for etcd$' new --table "$work/cluster.yaml" --as control
says 'new: a role that says "all" may be this host too' 0 '# Does this host play all-nodes as well\? Then: new --as worker,all-nodes$' new --table "$work/cluster.yaml" --as worker
attempt new --table "$work/cluster.yaml" --as worker,all-nodes
! grep -q 'as well' "$work/out" && ok 'new: ... which is played' || not_ok 'new: ... which is played' "$(cat "$work/out")"
# A table that says which roles are part of which: its words count no more. Two steps up, one down.
sed -E 's/title: all nodes/&, includes: [member, gateway]/
	s/^roles: \{/&every-proxy: {title: every proxy}, gateway: {}, member: {includes: control}, /' "$work/cluster.yaml" >"$work/parts.yaml"
sed -i 's/{name: cluster}/{name: parts}/' "$work/parts.yaml"
says 'includes: a good table' 0 '' check "$work/parts.yaml"
says 'new: a host plays the role that includes its own, and what includes that' 0 '^    # This host plays member, all-nodes as well: new --as control,member,all-nodes$' new --table "$work/parts.yaml" --as control
says 'new: only what is not named yet' 0 '^    # This host plays all-nodes as well: new --as control,member,all-nodes$' new --table "$work/parts.yaml" --as control,member
[ "$(grep -c 'as well' "$work/out")" = 1 ] && ok 'new: ... one line' || not_ok 'new: ... one line' "$(cat "$work/out")"
says 'new: a part of a role may be this host' 0 '^    # Does this host play gateway as well\? Then: new --as all-nodes,gateway$' new --table "$work/parts.yaml" --as all-nodes
says 'new: ... and each of them' 0 '^    # Does this host play member as well\? Then: new --as all-nodes,member$' new --table "$work/parts.yaml" --as all-nodes
attempt new --table "$work/parts.yaml" --as worker
! grep -q 'as well' "$work/out" && ok 'new: words count no more' || not_ok 'new: words count no more' "$(cat "$work/out")"
says 'new: the command of the hint works' 0 '^    as: \[control, member, all-nodes\]$' new --table "$work/parts.yaml" --as control,member,all-nodes
says 'roles: a column of them' 0 '^all-nodes .* member, gateway *$' roles "$work/parts.yaml"
attempt roles --json "$work/parts.yaml"
[ "$(jq -c '[.roles[].includes]' "$work/out")" = '[[],[],["control"],[],[],["member","gateway"],[]]' ] && ok 'roles: in JSON' || not_ok 'roles: in JSON' "$(jq -c .roles "$work/out")"
says 'new: an agent of DataMiner is a NATS server' 0 '# This host plays nats-server as well: new --as agent,nats-server$' new --tables policies/tables --table dataminer --as agent
says 'new: a client that locks files is a client' 0 '# This host plays client as well: new --as nfs-client,client$' new --tables policies/tables --table qumulo --as nfs-client
says 'new: a LIF of the cluster' 0 '# This host plays management-lif as well: new --as cluster-mgmt,management-lif$' new --tables policies/tables --table snapmirror-active-sync --as cluster-mgmt
says 'new: a cluster with a portal' 0 '# This host plays node as well: new --as hub,node$' new --tables policies/tables --table qumulo-extras --as hub
sed 's/member, gateway/member/' "$work/parts.yaml" >"$work/fewer.yaml"
sed -i 's/{name: parts}/{name: fewer}/' "$work/fewer.yaml"
says 'diff: a part that is gone' 4 '^  - includes: gateway$' diff "$work/parts.yaml" "$work/fewer.yaml"
says 'new: a table as a file says where it is' 0 "^# The table is a file of its own: with --tables $work/$" new --table "$work/cluster.yaml" --as worker
exits 'new: an unknown role of several' 3 "did you mean 'worker'" new --table "$work/cluster.yaml" --as control,worke
exits 'new: no role but a comma' 2 'needs --table and --as' new --table "$work/cluster.yaml" --as ,
exits 'new: the error says that a table may be a path' 3 'a file is given by its path, like ./acme.yaml' new --table cluster --as worker
