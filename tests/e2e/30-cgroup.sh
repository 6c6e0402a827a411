#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The processes of one cgroup: a refused connect fails at once, with EPERM.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/matrix.sh"

e2e_begin cgroup
e2e_kind cgroup

# The user's real programs get an error from a refusal, at once, and it names the cause.
matrix_extra()
{
	local stranger=10.66.0.66
	fails_at_once 'cgroup: curl is refused at once' https_get agent "https://$stranger/"
	fails_at_once 'cgroup: curl over IPv6 is refused at once' https_get agent 'https://[fd00:66::66]/'
	fails_at_once 'cgroup: the NFS client is refused at once' nfs_list agent $stranger 4
	fails_at_once 'cgroup: smbclient is refused at once' smb_read agent $stranger
	fails_at_once 'cgroup: openssl is refused at once' tls_shake agent $stranger 1500
	# A listener of ours on every address might own the peer's: then the packet hook refuses, in silence.
	lab_stop ssh-agent
	fails_at_once 'cgroup: ssh is refused at once' ssh_run agent $stranger true
	matches 'cgroup: and says why' 'Operation not permitted' "$(ssh_run agent $stranger true 2>&1)"
	equal 'cgroup: the drop names the process' ssh \
		"$(fr_ask agent '[.drops[] | select(.peer.port == 22 and .direction == "egress")][0].process.name' show drops)"
	LAB_CGROUP='' tries 'cgroup: a process outside of the cgroup is not concerned' ok \
		peer_try agent tcp $stranger 4444
}
matrix_run
