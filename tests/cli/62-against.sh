# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# `import --against`: a page that is the same as the table, and one for each kind of difference, each planted alone;
# the vendors' tables against the vendors' lines; then what cannot be compared. Sourced by run.

cat >"$work/acme.yaml" <<'END'
apiVersion: flowreeve/v1
kind: PortTable
metadata: {name: acme, edition: 2026-11, title: Acme, document: {title: Acme ports, url: "https://docs.example.com/acme", read: 2026-11-30}}
params: {web-ports: {type: ports, any-of: [80, 443]}, dbport: {type: port, default: 5432}}
roles:
  client:  {title: client}
  gateway: {title: Acme gateway}
  db:      {title: Database Server (DBS)}
  node:    {title: cluster node}
  cloud:   {title: Acme cloud, names: ["api.${region}.acme.example", status.acme.example]}
rows:
  - {id: web, from: client, to: gateway, ports: ["${web-ports}/tcp"], purpose: user interface, source: {line: 5}}
  - {id: db, from: gateway, to: db, ports: ["${dbport}/tcp"], purpose: stores the state, source: {line: 6}}
  - {id: peers, from: node, to: node, ports: [7000-7010/tcp, 7000/udp], purpose: replication, source: {line: 7}}
  - {id: ping, from: gateway, to: node, ports: [icmp/any], purpose: is it alive, source: {line: 8}}
  - {id: cloud-a, from: gateway, to: cloud, ports: [443/tcp], purpose: licence, source: {line: 9}}
  - {id: cloud-b, from: gateway, to: cloud, ports: [443/tcp], purpose: telemetry, source: {line: 10}}
END
sed -i 's/^params: {/params: {region: {type: string}, /' "$work/acme.yaml"
cat >"$work/page.md" <<'END'
# Acme ports

| From | To | Protocol | Port | Purpose |
| --- | --- | --- | --- | --- |
| Client | Acme gateway | TCP | 80, 443 | User interface |
| Acme gateway | DBS | TCP | 5432 (default) | Stores the state |
| Cluster nodes | Cluster nodes | TCP | 7000-7010 | Replication |
| Acme gateway | Cluster node | ICMP | | Is it alive? |
| Acme gateway | Acme cloud | TCP | 443 | Licence, `api.us-east-2.acme.example` |
| Acme gateway | Acme cloud | TCP | 443 | Telemetry, `status.acme.example` |
END
sed -i 's/| Cluster nodes | TCP | 7000-7010 |/| Cluster nodes | | 7000-7010\/tcp, 7000\/udp |/' "$work/page.md"

# CHANGE KIND NAME FIELD... of each difference, and the exit code. NAME EXPECTED [TABLE PAGE]
against()
{
	local found
	attempt import --json --against "${3:-$work/acme.yaml}" "${4:-$work/changed.md}"
	found="$status $(jq -r '[.changes[] | "\(.change) \(.kind) \(.name) \([.fields[].field] | join(" "))"] | join("; ")' "$work/out" 2>&1)"
	if [ "$found" = "$2" ]; then ok "against: $1"; else
		not_ok "against: $1" "expected: $2" "found: $found" "$(cat "$work/err")"
	fi
}
planted() # NAME EXPECTED SED...
{
	sed -E "${@:3}" "$work/page.md" >"$work/changed.md"
	against "$1" "$2"
}

planted 'the same page' '0 ' ''
planted 'another order, and lines before it' '0 ' -e '6{h;d}; 8{G}; 1s/$/\n\nNews./'
planted 'a port' '4 changed row db ports' '6s/5432/5433/'
planted 'the end of a range' '4 changed row peers ports' '7s/7010/7011/'
planted 'a protocol' '4 changed row db ports' '6s/TCP/UDP/'
planted 'a value of a param' '4 changed row web ports' '5s/80, //'
planted 'ICMP that is TCP' '4 changed row ping ports' '8s/ICMP \| /TCP | 7/'
planted 'a row gone' '4 gone row db ' 6d
planted 'one of two alike gone' '4 gone row cloud-b ; gone name status.acme.example ' 10d
planted 'a row added' '4 new row null ' '6s/$/\n| Acme gateway | DBS | TCP | 5433 | A copy |/'
planted 'ends swapped' '4 changed row db direction' '6s/Acme gateway \| DBS/DBS | Acme gateway/'
planted 'another role' '4 changed row db ends' '6s/DBS/Client/'
planted 'an end renamed' '4 changed role db title' '6s/DBS/Vault/'
planted 'an end renamed in some rows' '4 changed row ping ends' '8s/Cluster node/Machine/'
planted 'a name gone' '4 gone name status.acme.example ' '10s/, .status.acme.example.//'
planted 'a name added' '4 new name eu.acme.example ' '9s/$/ and eu.acme.example/'
planted 'two at once' '4 changed row db ports; gone row ping ' -e '6s/5432/5433/' -e 8d

sed -E '6s/5432/5433/' "$work/page.md" >"$work/changed.md"
attempt import --against "$work/acme.yaml" "$work/changed.md"
for line in '^changed row db$' '^  - ports: 5432/tcp' '^  \+ ports: 5433/tcp' 'table line 13: db: gateway to db' 'page line 6: Acme gateway \| DBS'; do
	grep -qE -- "$line" "$work/out" && ok "against: prints $line" || not_ok "against: prints $line" "$(cat "$work/out")"
done

# Both ways, and rows without a direction or ends.
cat >"$work/both.yaml" <<'END'
apiVersion: flowreeve/v1
kind: PortTable
metadata: {name: both, title: Both}
roles: {node: {title: node}, peer-a: {title: Alpha}, peer-b: {title: Beta}}
rows:
  - {id: a, from: peer-a, to: node, ports: [22/tcp], purpose: shell, source: {line: 5}}
  - {id: b, from: node, to: peer-b, ports: [514/udp], purpose: logs, source: {line: 6}}
  - {id: c, from: node, to: peer-b, ports: [any], purpose: copies, source: {line: 9}}
END
printf '%s\n' '# Node' '' '| Port | Direction | Purpose |' '|---|---|---|' '| 22/tcp | inbound | Shell |' '| 514/udp | outbound | Logs |' \
	'' '' 'Traffic to Beta must be possible on any port.' >"$work/changed.md"
against 'a page without ends' '0 ' "$work/both.yaml"
grep -q '"in_text": *\[ *{' "$work/out" || jq -e '.in_text[0].name == "c"' "$work/out" >/dev/null &&
	ok 'against: a sentence is told apart' || not_ok 'against: a sentence is told apart' "$(cat "$work/out")"
sed -i '5s/inbound/outbound/' "$work/changed.md"
against 'its direction' '4 changed row a direction' "$work/both.yaml"

# The vendors' tables against the vendors' lines, which are without the sentences of their pages. PAGE EXPECTED
vendor()
{
	local table=${1%%.*} found
	attempt import --json --tables policies/tables --against "$table@2024-09" "tests/documents/$1"
	found=$(jq -r '[.changes[] | select(.kind != "name") | "\(.change) \(.kind) \(.name)"] | join("; ")' "$work/out" 2>&1)
	if [ -s "$work/out" ] && [ "$found" = "$2" ]; then ok "against: $1"; else
		not_ok "against: $1" "$found" "$(cat "$work/err")"
	fi
}
vendor aws-datasync.md ''
vendor snapmirror-active-sync.txt ''
vendor dataminer.md 'gone row telnet, telnet-before-9-6-5; gone row cassandra-before-10-0-8; gone row nats-monitoring, nats-monitoring-by-default'
vendor qumulo.md 'gone row nodes; gone row subnet-ipv6-out, subnet-ipv6-in; gone row subnet-ipv4-out, subnet-ipv4-in'

# ---------------------------------------------------------------- what cannot be compared

printf '# No ports\n\nOnly words.\n' >"$work/words.md"
printf '{"ports": [443]}\n' >"$work/ports.json"
exits 'against: a page without ports' 3 'nothing to compare \[no-rows\]' import --against "$work/acme.yaml" "$work/words.md"
exits 'against: a format that is not read' 3 '\[not-text\]' import --against "$work/acme.yaml" "$work/ports.json"
exits 'against: no such table' 3 '\[unknown-table\]' import --tables policies/tables --against nobodys "$work/page.md"
exits 'against: no such edition' 3 'edition' import --tables policies/tables --against qumulo@1999-01 "$work/page.md"
exits 'against: no such file' 3 '\[file-unreadable\]' import --against ./nobodys.yaml "$work/page.md"
exits 'against: two tables' 2 '--against is given twice' import --against qumulo --against dataminer "$work/page.md"
exits 'against: two pages' 2 'one operand too many' import --against qumulo "$work/page.md" "$work/words.md"
exits 'against: a name for no draft' 2 'do not apply' import --against "$work/acme.yaml" --name x "$work/page.md"
exits 'import: JSON of a draft' 2 'go with --against' import --json "$work/page.md"
{ cat "$work/page.md" && for ((i = 0; i < 2100; i++)); do echo "| Client | Acme gateway | TCP | $((10000 + i)) | $i |"; done; } >"$work/long.md"
exits 'against: too many rows' 3 '\[too-many-rows\]' import --against "$work/acme.yaml" "$work/long.md"
