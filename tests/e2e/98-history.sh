#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The record of changes: each change is one line, in the file and in syslog, with user, modes, digests and
# outcome; what the kernel ended is recorded by the next command that sees it. A record that cannot be
# written stops no change.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

# Fields of the last line, by a filter of jq.
last() { tail -n 1 "$FLOWREEVE_CHANGES" | jq -r "$1" 2>&1; }
lines() { wc -l <"$FLOWREEVE_CHANGES"; }
history_exits() # WHAT EXPECTED-CODE: leaves the text in $said
{
	said=$("$FLOWREEVE" history 2>&1)
	equal "$1" "$2" $?
}
history_ask() # FILTER WORD...
{
	local filter=$1
	shift
	"$FLOWREEVE" history --json "$@" | jq -r "$filter" 2>&1
}
digest() { fr_ask agent '.policies[0].digest' status; }

e2e_begin history
export FLOWREEVE_CHANGES=$work/record/changes.jsonl
mkdir -m 0700 "$work/record"
policy_write "$work/one.yaml" audit '{interfaces: [ens5]}'
policy_write "$work/deny.yaml" enforce '{interfaces: [ens5]}'

history_exits 'no change: history' 0
matches 'no change: says where it would be' "no change is recorded in $FLOWREEVE_CHANGES" "$said"

succeeds 'apply' fr agent apply "$work/one.yaml"
equal 'apply: verb, policy, modes, outcome' 'apply e2e null audit done 1' \
	"$(last '[.verb, .policy, .mode_before, .mode_after, .outcome, .generation] | map(tostring) | join(" ")')"
equal 'apply: digests' "null $(digest)" "$(last '[.digest_before, .digest_after] | map(tostring) | join(" ")')"
equal 'apply: user' "$(id -u) $(cat /proc/self/loginuid 2>/dev/null)" \
	"$(last '[.uid, (.login_uid // 4294967295)] | map(tostring) | join(" ")')"
equal 'apply: the words' "flowreeve apply $work/one.yaml --pin-root $LAB_DIR/bpf/flowreeve" "$(last .command)"
equal 'the file is root'"'"'s alone' '600' "$(stat -c %a "$FLOWREEVE_CHANGES")"
before=$(digest)
succeeds 'apply again' fr agent apply "$work/one.yaml"
equal 'apply again: unchanged' "unchanged $before" "$(last '.outcome + " " + .digest_before')"

succeeds 'enforce' fr agent apply "$work/deny.yaml" --mode enforce
equal 'enforce: modes' 'audit enforce' "$(last '.mode_before + " " + .mode_after')"
equal 'enforce: the digest before' "$before" "$(last .digest_before)"
fr_exits 'a refused change' 3 agent apply "$work/one.yaml"
equal 'a refused change: outcome and modes' 'refused enforce enforce' \
	"$(last '[.outcome, .mode_before, .mode_after] | join(" ")')"
equal 'a refused change: its reason' true "$(last '.reason | length > 10')"
count=$(lines)
fr_exits 'a file that is no policy' 3 agent apply /dev/null
fr_exits 'a usage error' 2 agent detach --all e2e
equal 'neither is a change' "$count" "$(lines)"

succeeds 'zero' fr agent zero
equal 'zero' 'zero done' "$(last '.verb + " " + .outcome')"
succeeds 'apply --confirm' fr agent apply "$work/deny.yaml" --mode audit --confirm 10m
id=$(last .generation)
succeeds 'extend' fr agent extend 20m
equal 'extend: the change' "extend $id" "$(last '"\(.verb) \(.generation)"')"
succeeds 'cancel' fr agent cancel
equal 'cancel: the change and the modes' "cancel $id audit enforce" \
	"$(last '"\(.verb) \(.generation) \(.mode_before) \(.mode_after)"')"
count=$(lines)
succeeds 'status after a cancellation' fr agent status
equal 'a cancelled change is no roll-back' "$count" "$(lines)"
succeeds 'apply --confirm, and confirm' fr agent apply "$work/deny.yaml" --mode audit --confirm 10m
succeeds 'confirm' fr agent confirm
equal 'confirm' 'confirm audit audit done' "$(last '[.verb, .mode_before, .mode_after, .outcome] | join(" ")')"

succeeds 'a change that nobody confirms' fr agent apply "$work/deny.yaml" --mode enforce --confirm 1
id=$(last .generation)
rolled_back() { [ "$(fr_ask agent '.policies[0].mode' status)" = audit ]; }
succeeds 'the kernel ends it' until_true rolled_back
succeeds 'status' fr agent status
equal 'the roll-back is recorded' "roll-back $id null audit done" \
	"$(last '[.verb, .generation, .uid, .mode_after, .outcome] | map(tostring) | join(" ")')"
count=$(lines)
fr agent status >/dev/null & fr agent status >/dev/null & wait
equal 'once' "$count" "$(lines)"
fr_exits 'a late confirmation' 7 agent confirm
equal 'a late confirmation: outcome' 'confirm late' "$(last '.verb + " " + .outcome')"

history_exits 'history' 0
matches 'history: a line of apply' 'apply +e2e +- to audit +.*done' "$said"
matches 'history: the kernel' 'roll-back +e2e .*the kernel' "$said"
equal 'history --json: all lines' "$(lines)" "$(history_ask '.changes | length')"
equal 'history --limit: the last' 'late' "$(history_ask '.changes | map(.outcome) | join(" ")' --limit 1)"
equal 'history of another policy: none' 0 "$(history_ask '.changes | length' other)"

fr_exits 'report' 0 agent report e2e --text
matches 'report: the changes of the policy' 'Changes, as recorded' "$said"
matches 'report: each of them' 'roll-back .* audit [0-9a-f]{12} .*the kernel, at its time' "$said"

# A hostile line, and one that a crash cut.
printf '{"schema":"flowreeve/change/v1","time":"t","verb":"\\u001b[2Jx","policy":"e2e","outcome":"done"}\n{"schema"' >>"$FLOWREEVE_CHANGES"
history_exits 'a cut line' 1
matches 'a cut line: where' "changes.jsonl:$(($(lines) + 1)):" "$said"
equal 'no control character reaches the terminal' '' "$(tr -d -c '\033' <<<"$said")"
matches 'a cut line: the others are there' 'roll-back +e2e' "$said"
succeeds 'a change after a cut line' fr agent zero
equal 'has a line of its own' 'zero' "$(last .verb)"
cp "$FLOWREEVE_CHANGES" "$work/kept"

# What stops the record stops no change.
mkdir -m 0700 "$work/full"
full() # COMMAND...: with a file system of 8 pages, filled but for a part of a line
{
	unshare --mount bash -c 'mount -t tmpfs -o size=32k,mode=0700 full "$0" && head -c 32700 /dev/zero | tr "\0" "\n" >"$0/changes.jsonl" || exit 99
		FLOWREEVE_CHANGES=$0/changes.jsonl "$@"; code=$?
		stat -c %s "$0/changes.jsonl" >"$0.size"; exit $code' "$work/full" "$@"
}
export -f fr lab_enter
export FLOWREEVE LAB_DIR LAB_TAG
said=$(full bash -c 'fr agent apply "$0" --mode enforce' "$work/deny.yaml" 2>&1)
equal 'a full disk: the change is made' "0 enforce" "$? $(fr_ask agent '.policies[0].mode' status)"
matches 'a full disk: a warning says so' 'warning.*No space left on device' "$said"
equal 'a full disk: no part of a line' 32700 "$(cat "$work/full.size")"

chmod 0777 "$work/record"
fr_exits 'a directory of others' 0 agent zero
matches 'a directory of others: not used' 'warning.*record of changes' "$said"
chmod 0700 "$work/record"
rm "$FLOWREEVE_CHANGES" && ln -s "$work/kept" "$FLOWREEVE_CHANGES"
fr_exits 'a link' 0 agent zero
matches 'a link: not followed' 'warning.*record of changes' "$said"
rm "$FLOWREEVE_CHANGES" && mkfifo "$FLOWREEVE_CHANGES"
fr_exits 'a pipe' 0 agent zero
matches 'a pipe: not used' 'warning.*record of changes' "$said"
rm "$FLOWREEVE_CHANGES"
flock "$work/kept" true
touch "$FLOWREEVE_CHANGES" && exec 8<"$FLOWREEVE_CHANGES" && flock 8
fr_exits 'a record that somebody holds' 0 agent zero
matches 'a record that somebody holds: said' 'warning.*record of changes' "$said"
exec 8<&-

# The default place, and syslog, in a mount namespace of its own.
said=$(unshare --mount bash -c '
	mount -t tmpfs none /var/log && mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9 || exit 99
	python3 -c "
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(\"/dev/log\")
open(sys.argv[1] + \"/listening\", \"w\").close()
open(sys.argv[1] + \"/syslog\", \"wb\").write(s.recv(4096))" "$0" &
	until [ -e "$0/listening" ]; do sleep 0.05; done
	unset FLOWREEVE_CHANGES
	fr agent detach e2e; wait; stat -c %a /var/log/flowreeve; cat /var/log/flowreeve/changes.jsonl' "$work" 2>&1)
matches 'the default place' '"verb":"detach".*"mode_before":"enforce","mode_after":null' "$said"
matches 'its directory is root'"'"'s alone' '^700$' "$said"
matches 'syslog: authpriv, and the facts' '^<85>.*flowreeve.*detach policy=e2e outcome=done uid=0' "$(cat "$work/syslog")"
