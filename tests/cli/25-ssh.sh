# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# check warns when enforcing would cut off the session that it runs in, or every session. Sourced by run.

# A policy with one ingress rule. ATTACH PEER PORT [ACTION]
ssh_policy() {
	cat >"$work/ssh.yaml" <<-END
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: web}
		mode: audit
		attach: $1
		failsafe: []
		rules:
		  - {id: in, direction: ingress, peer: [$2], ports: [$3/tcp], action: ${4:-allow}}
	END
}

# The ids of ssh warnings that check gives, with the variable set. NAME WANTED [VARIABLE]
ssh_warns() {
	local found
	as=(env ${3:+"$3"})
	attempt check "$work/ssh.yaml"
	as=(env)
	found=$(grep -oP 'warning: .*\[\Kssh-[a-z]+(?=\]$)' "$work/err" | xargs)
	if [ "$status $found" = "0 $2" ]; then ok "$1"; else not_ok "$1" "exit $status, '$found' instead of '$2'" "$(cat "$work/err")"; fi
}

here='SSH_CONNECTION=10.0.9.5 51234 10.0.5.5 22'
interfaces='{interfaces: [eth0]}'
ssh_policy "$interfaces" 10.0.9.0/24 22
ssh_warns 'ssh: the session is admitted' '' "$here"
ssh_warns 'ssh: no session' ''
ssh_warns 'ssh: a session from elsewhere' ssh-refused 'SSH_CONNECTION=10.0.8.5 51234 10.0.5.5 22'
ssh_warns 'ssh: an IPv6 session with its zone' ssh-refused 'SSH_CONNECTION=fe80::1%eth0 51234 fe80::2%eth0 22'
ssh_warns 'ssh: a session to another port' ssh-refused 'SSH_CONNECTION=10.0.9.5 51234 10.0.5.5 2222'
ssh_warns 'ssh: what an older sshd says' ssh-refused 'SSH_CLIENT=10.0.8.5 51234 22'
for text in '127.0.0.1 51234 127.0.0.1 22' '::1 51234 ::1 22' '::ffff:127.0.0.1 51234 ::ffff:127.0.0.1 22' '10.0.5.5 51234 10.0.5.5 22'; do
	ssh_warns "ssh: '$text' stays on this host" '' "SSH_CONNECTION=$text"
done
for text in '10.0.8.5 51234 10.0.5.5' '10.0.8.5  51234 10.0.5.5 22' '10.0.8.5 51234 10.0.5.5 22 9' '10.0.8 51234 10.0.5.5 22' \
	'10.0.8.5 0 10.0.5.5 22' '10.0.8.5 51234 10.0.5.5 65558' '10.0.8.5 51234 10.0.5.5 22 ' 'host 51234 host 22' ' ' '% 1 % 22'; do
	ssh_warns "ssh: '$text' says nothing" '' "SSH_CONNECTION=$text"
done
ssh_policy "$interfaces" 10.0.9.0/24 443
ssh_warns 'ssh: nobody is admitted' ssh-closed
ssh_warns 'ssh: nobody is admitted, nor the session' 'ssh-refused ssh-closed' "$here"
sed -i 's/failsafe: \[\]/failsafe: [{peer: [10.0.9.5], ports: [22\/tcp]}]/' "$work/ssh.yaml"
ssh_warns 'ssh: the failsafe admits it' '' "$here"
sed -i '/^failsafe/d' "$work/ssh.yaml"
ssh_warns 'ssh: so does the failsafe that is not written' '' "$here"
ssh_policy "$interfaces" any 22 deny
ssh_warns 'ssh: a deny rule' 'ssh-refused ssh-closed' "$here"
sed -i 's/action: deny/action: deny, mode: audit/; s/^rules/default: {ingress: allow}\nrules/' "$work/ssh.yaml"
ssh_warns 'ssh: a staged deny rule refuses nothing' '' "$here"
ssh_policy "$interfaces" local-subnet 22
ssh_warns 'ssh: what local-subnet is, is not known here' '' "$here"

# The lines to write, as YAML has them, beside the present ones.
ssh_hint() # NAME WANTED VARIABLE
{
	ssh_warns "$1" ssh-refused "$3"
	if grep -qF -- "| $2" "$work/err"; then ok "$1: as it is to be written"; else not_ok "$1: as it is to be written" "$(cat "$work/err")"; fi
}
ssh_policy "$interfaces" 10.0.9.0/24 22
ssh_hint 'ssh: none is written' 'add to failsafe: {peer: [10.0.8.5], ports: [22/tcp]}' 'SSH_CONNECTION=10.0.8.5 51234 10.0.5.5 22'
ssh_hint 'ssh: an IPv6 address in quotes' 'add to failsafe: {peer: ["fd00::8"], ports: [22/tcp]}' 'SSH_CONNECTION=fd00::8 51234 fd00::5 22'
sed -i 's/failsafe: \[\]/failsafe: [{peer: [10.0.7.0\/24], ports: [22\/tcp]}]/' "$work/ssh.yaml"
ssh_hint 'ssh: another one is written' 'add to failsafe: {peer: [10.0.8.5], ports: [22/tcp]}' 'SSH_CONNECTION=10.0.8.5 51234 10.0.5.5 22'
sed -i '/^failsafe/d' "$work/ssh.yaml"
ssh_hint 'ssh: what is not written stands for port 22' 'failsafe: [22/tcp, {peer: [10.0.8.5], ports: [2222/tcp]}]' \
	'SSH_CONNECTION=10.0.8.5 51234 10.0.5.5 2222'
ssh_policy '{guests: [tap0]}' any 443
ssh_warns 'ssh: a guest is not this host' '' "$here"
ssh_policy '{cgroups: [/app]}' any 443
ssh_warns 'ssh: a cgroup may be that of sshd' ssh-refused "$here"
ssh_warns 'ssh: a cgroup passes what stays on this host' '' 'SSH_CONNECTION=::1 51234 ::1 22'
sed -i 's/^rules/builtin: {loopback: off}\nrules/' "$work/ssh.yaml"
ssh_warns 'ssh: unless it is told to judge it' ssh-refused 'SSH_CONNECTION=::1 51234 ::1 22'
