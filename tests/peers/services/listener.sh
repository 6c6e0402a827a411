# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Package: python3-minimal. A stand-in, for the ports whose server Debian 12 does not have: Hadoop (8020,
# 50010, 9600, 9820, 9866, 1004), Cassandra (7000, 7001, 7199, 9042, 9142, 9160), Elasticsearch (9200, 9300),
# .NET Remoting (8004), NATS accounts (9090), the cloud gateway (5100), intercluster sessions (11104, 11105),
# NDMP and unified management (10000), the mediator's REST (31784), replication (3712, 1500), the control
# channel (1024-1064), Lustre (988), Windows activation (1688), NetBIOS datagrams (138/udp).
# PORT is a port, a range or a list of these (7,2049,20000-20100); option: tcp or udp, else both.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_listener()
{
	local service_name service_dir address host port kinds=${4:-both} last ports=()
	service_begin listener "$1" "$2" "$3${4:+-$4}" "" || return 0
	port=$3 last=${3##*[,-]}
	[ "$kinds" = udp ] || ports+=("tcp/$last")
	[ "$kinds" = tcp ] || ports+=("udp/$last")
	service_spawn "$1" "$services_conf/listener" serve "$address" "$kinds" "$port"
	service_ready "$1" "${ports[@]}"
}

ask_listener()
{
	local address host port protocol options
	service_question '' "$@"
	service_client "$1" "$services_conf/listener" ask "$address" "$protocol" "$port"
}
