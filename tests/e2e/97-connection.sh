#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# confirm --new-connection, with sshd and ssh: a session from before the change proves nothing, however it
# is kept; one that was opened under it does; and a connection to a port that is waited for.
#
# lesson: "the session still works" says nothing of the next one.
. "$(dirname "$0")/lib.sh"

# ---------------------------------------------------------------- a server of its own

sshd_make()
{
	mkdir "$work/ssh" && ssh-keygen -qt ed25519 -N '' -f "$work/ssh/host" && ssh-keygen -qt ed25519 -N '' -f "$work/ssh/key" &&
		cp "$work/ssh/key.pub" "$work/ssh/authorized" || exit 1
	printf '%s\n' "HostKey $work/ssh/host" "AuthorizedKeysFile $work/ssh/authorized" "PidFile $work/ssh/pid" 'UsePAM no' \
		'StrictModes no' 'PermitRootLogin yes' 'PasswordAuthentication no' 'ListenAddress 10.0.5.5' >"$work/ssh/config"
}

# Its /run is its own.
sshd_start()
{
	# shellcheck disable=SC2016
	lab_in agent unshare --mount sh -c 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f "$0"' \
		"$work/ssh/config" >"$work/ssh/log" 2>&1 &
	server=$!
	until_true says "$work/ssh/log" 'listening on' || not_ok "$kind: sshd listens" "$(cat "$work/ssh/log")"
}

in_session() # [-S MASTER] COMMAND: in agent, over SSH from bastion
{
	lab_enter bastion timeout -s KILL 120 ssh -F none -i "$work/ssh/key" -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@"
}
old_session() { in_session -S "$work/ssh/master" root@10.0.5.5 "$@"; }
new_session() { in_session root@10.0.5.5 "$@"; }
# sshd passes no environment on.
confirms() { echo "FLOWREEVE_CHANGES= $FLOWREEVE confirm --pin-root $LAB_DIR/bpf/flowreeve $*"; }

changed() # TIME: the same policy, with an end
{
	succeeds "$kind: a change for $1" fr agent apply "$work/policy.yaml" --confirm "$1"
}

answer() # WHAT CODE COMMAND...
{
	local what=$1 expected=$2
	shift 2
	said=$("$@" 2>&1)
	equal "$kind: $what" "$expected" $?
}

# ---------------------------------------------------------------- the caller's session

sessions_run()
{
	changed 10m
	answer 'a session from before does not confirm' 3 old_session "$(confirms --new-connection)"
	matches "$kind: and says why" 'was not opened under it .*\[no-new-connection\]' "$said"
	answer 'nor does a command outside of any session' 3 fr agent confirm --new-connection
	matches "$kind: and says why" 'no SSH connection' "$said"
	answer 'a session from after does' 0 new_session "$(confirms --new-connection)"
	equal "$kind: nothing waits any more" null "$(fr_ask agent .policies[0].pending status)"
	answer 'nothing is left to confirm' 1 new_session "$(confirms --new-connection)"
	changed 10m
	succeeds "$kind: cancel" fr agent cancel
	answer 'a change that is over' 7 new_session "$(confirms --new-connection)"
}

# The table of flows has forgotten the session, and takes it up again in mid-stream.
adopted_run()
{
	succeeds "$kind: detach" fr agent detach
	changed 10m
	answer 'the session from before is adopted' 0 old_session true
	answer 'which proves nothing' 3 old_session "$(confirms --new-connection)"
	answer 'without a proof it is confirmed as ever' 0 old_session "$(confirms)"
}

# ---------------------------------------------------------------- a port

port_run()
{
	changed 2
	answer 'the old session goes on' 0 old_session true
	LAB_WAIT=0.2 peer_try bastion tcp 10.0.5.5 22022 >/dev/null 2>&1 # which nothing serves
	fr agent confirm --new-connection=22022 >"$work/unserved" 2>&1 &
	answer 'it is no new connection' 7 fr agent confirm --new-connection=22
	wait $!
	equal "$kind: a connection that nobody answers is none either" 7 $?
	changed 10m
	fr agent confirm --new-connection=22 >"$work/waited" 2>&1 &
	answer 'a new session' 0 new_session true
	wait $!
	equal "$kind: confirms, for the command that waits" 0 $?
	matches "$kind: and says so" '^confirmed  e2e' "$(cat "$work/waited")"
	answer 'a port' 2 fr agent confirm --new-connection=no
	answer 'is needed where a value is given' 2 fr agent confirm --new-connection=
}

connection_run() # KIND
{
	e2e_kind "$1"
	policy_write "$work/policy.yaml" enforce "$attach"
	sshd_start
	in_session -M -S "$work/ssh/master" -fN root@10.0.5.5 || not_ok "$kind: a session is open" "$(cat "$work/ssh/log")"
	succeeds "$kind: a policy" fr agent apply "$work/policy.yaml"
	sessions_run
	adopted_run
	port_run
	sed -i 's/^failsafe: .*/failsafe: [{peer: [10.0.9.5], ports: [22\/tcp]}]/; /id: ssh-from-bastion/d' "$work/policy.yaml"
	changed 10m
	answer 'a session that failsafe admits' 0 new_session "$(confirms --new-connection)"
	in_session -S "$work/ssh/master" -O exit root@10.0.5.5 >/dev/null 2>&1
	kill "$(cat "$work/ssh/pid")" && wait "$server"
	succeeds "$kind: detach" fr agent detach
}

e2e_begin connection
sshd_make
connection_run interface
connection_run cgroup
