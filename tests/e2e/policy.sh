# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# The policy of the end-to-end tests: a host that plays a DataSync agent and an MGN source server at
# once, with DNS, a clock and SSH, on whatever attach points the test names. Sourced.

# FILE MODE ATTACH [EXTRA-USE-LINES]
policy_write()
{
	cat >"$1" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: e2e}
		mode: $2
		attach: $3
		use:
		  - table: aws-datasync
		    edition: 2024-09
		    as: agent
		    set: {region: us-east-2, endpoint: vpc, storage: [nfs, smb]}
		    peers:
		      nfs-server: [10.20.0.5, "fd00:20::5"]
		      smb-server: [10.20.0.5, "fd00:20::5"]
		      vpc-endpoint: [10.0.5.10, "fd00:5::10"]
		      task-interface: [10.0.5.20/30, "fd00:5::20"]
		  - table: aws-mgn
		    edition: 2024-09
		    as: source-server
		    set: {region: us-east-2, s3-access: prefixes}
		    peers: {replication-server: [10.0.5.10], mgn-api: [10.0.5.10], s3: [10.0.5.10]}
		  - {table: aws-vpc-resolver, as: client, peers: {resolver: [10.0.0.2, "fd00:0:0:1::2"]}}
		  - {table: aws-time-sync, as: client, peers: {time-server: [10.0.0.2]}}
		${4:-}
		rules:
		  - {id: echo, direction: egress, peer: [10.20.0.5], ports: [7/udp, 7/tcp], action: allow}
		  - {id: spare, direction: egress, peer: [10.20.0.5], ports: [9/tcp], action: allow}
		  - {id: ssh-from-bastion, direction: ingress, peer: [10.0.9.5, "fd00:9::5"], ports: [22/tcp, 22022/tcp], action: allow}
		failsafe: []
	YAML
}
