#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A policy that writes no edition of a table does not change to a new one unasked: apply shows the difference,
# changes nothing and exits 3, until the edition is written or the command that it prints is given. A policy
# that was applied before tables had editions has the one with the same document.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

table() # FILE EDITION-LINE DOCUMENT PORT
{
	cat >"$work/editions/$1" <<Y
apiVersion: flowreeve/v1
kind: PortTable
metadata:
  name: acme
$2
  document: $3
roles: {client: {title: client}, server: {title: server}}
rows:
  - {id: web, from: client, to: server, ports: [$4/tcp]}
Y
}

policy() # EDITION-KEY
{
	cat >"$work/p.yaml" <<Y
apiVersion: flowreeve/v1
kind: Policy
metadata: {name: e2e}
mode: enforce
attach: {interfaces: [ens5]}
failsafe: []
use:
  - {table: acme, ${1}as: client, peers: {server: 10.0.0.1}}
Y
}

apply() { fr agent apply --tables "$work/editions" "$work/p.yaml" "$@"; }
running() { fr_ask agent '.policies[] | "\(.mode) \(.generation) \(.digest)"' status; }
in_force() { fr agent show policy e2e | sed -n 's/^  edition: "\(.*\)"$/\1/p'; }

# Refused, with the difference, and the policy in force is untouched. WHAT PATTERN
refused()
{
	local before
	before=$(running)
	fr_exits "$1: exit 3" 3 agent apply --tables "$work/editions" "$work/p.yaml"
	matches "$1: why" "$2" "$said"
	equal "$1: what runs is untouched" "$before" "$(running)"
}

e2e_begin editions
mkdir "$work/editions"

# As before tables had editions.
table acme.yaml '' old.html 80
policy ''
succeeds 'a table without editions' apply
succeeds 'again' apply

# A new program brings both: the old one by its document, and a new one.
table acme.yaml '  edition: 2024-09' old.html 80
table acme@2026-11.yaml '  edition: 2026-11' new.html 8080
refused 'an upgrade' "newest edition of table 'acme' is 2026-11, and the policy in force has 2024-09; to stay with it, write 'edition: 2024-09'.*\[new-edition\]"
matches 'the difference is shown' '^-.*ports: \[80/tcp\]' "$(apply 2>&1)"
matches 'with what is new' '^\+.*ports: \[8080/tcp\]' "$(apply 2>&1)"
matches 'as JSON too' 'edition-change .*acme/web' "$(apply --json 2>/dev/null | jq -r '.error.exit, .diagnostics[] | "\(.check?) \(.message?)"' 2>/dev/null)"
policy 'edition: 2024-09, '
succeeds 'the edition in force is written' apply
equal 'it is in force' 2024-09 "$(in_force)"
policy ''
refused 'without it' 'the policy in force has 2024-09'
paste=$(apply 2>&1 | sed -n 's/^ *| *[~^]* *\(flowreeve apply .*\)/\1/p; s/^.*\^~* \(flowreeve apply .*\)/\1/p' | head -1)
matches 'the hint is the command' '^flowreeve apply .*--new-edition' "$paste"
ln -sf "$FLOWREEVE" "$work/flowreeve"
printf '%s\n' "$paste" >"$work/hint"
succeeds 'the hint as it is printed' lab_enter agent env PATH="$work:$PATH" timeout -s KILL 60 sh "$work/hint"
equal 'the new one is in force' 2026-11 "$(in_force)"
succeeds 'from then on without a word' apply
policy 'edition: 2024-09, '
succeeds 'a written edition is a change like any other' apply
policy 'edition: 2026-11, '
succeeds 'and back' apply

# Another apply that changes the edition while this one waits: the guard reads what is in force then, not before.
succeeds 'nothing is in force' fr agent detach
policy 'edition: 2024-09, '
cp "$work/p.yaml" "$work/old.yaml"
policy ''
pins=$LAB_DIR/bpf/flowreeve
mkdir -p "$pins"
exec {lock}<"$pins"
flock "$lock"
(exec nsenter --net="/run/netns/$LAB_TAG-agent" -- "$FLOWREEVE" apply --tables "$work/editions" "$work/p.yaml" \
	--pin-root "$pins" >"$work/waiting" 2>&1 {lock}<&-) &
waiting=$!
# It waits for the lock where it sleeps; what ended instead is no longer there.
until grep -q nanosleep "/proc/$waiting/wchan" 2>/dev/null || ! kill -0 $waiting; do sleep 0.05; done
kill -STOP $waiting
exec {lock}<&-
succeeds 'another apply comes first' fr agent apply --tables "$work/editions" "$work/old.yaml"
kill -CONT $waiting
wait $waiting
equal 'the one that waited is refused' 3 $?
matches 'because of the edition' 'new-edition' "$(cat "$work/waiting")"
equal 'the other is in force' 2024-09 "$(in_force)"

# A new name has nothing in force.
succeeds 'detached' fr agent detach
policy ''
succeeds 'what is not in force takes the newest' apply
sed -i 's/8080/8081/' "$work/editions/acme@2026-11.yaml"

# A damaged document does not tell which edition is in force.
pin=$(find "$pins/e2e" -name 'document*')
# shellcheck disable=SC2046 # words
succeeds 'its document is damaged' lab_enter agent bpftool map update pinned "$pin" key hex 0 0 0 0 \
	value hex $(printf '0 %.0s' {1..4096})
fr_exits 'a damaged document: exit 3' 3 agent apply --tables "$work/editions" "$work/p.yaml"
matches 'and why' "newest edition of table 'acme' is 2026-11, and the document that tells the one in force is damaged" "$said"
succeeds 'the edition is accepted' apply --new-edition
equal 'and its document is whole' 2026-11 "$(in_force)"
succeeds 'detach' fr agent detach
