# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: tgt; libiscsi-bin. Real: an iSCSI target on 3260 or any port, TCP. A session logs in and reads the
# capacity of the unit.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

iscsi_name=iqn.2026-01.test.lab:unit

iscsi_admin() # WORDS...: to the very server
{
	TGT_IPC_SOCKET="$service_dir/socket" tgtadm --lld iscsi "$@"
}

serve_iscsi()
{
	local service_name service_dir address host port
	service_begin iscsi "$1" "$2" "$3" 3260 || return 0
	truncate -s 16M "$service_dir/unit"
	# A target daemon with targets ignores SIGTERM.
	service_spawn "$1" env "TGT_IPC_SOCKET=$service_dir/socket" \
		sh -c 'tgtd -f --iscsi "$0" & trap "kill -KILL $!; wait" TERM; wait' "portal=$host:$port"
	service_ready "$1" "tcp/$port" || return
	if ! { iscsi_admin --op new --mode target --tid 1 -T "$iscsi_name" &&
		iscsi_admin --op new --mode logicalunit --tid 1 --lun 1 -b "$service_dir/unit" &&
		iscsi_admin --op bind --mode target --tid 1 -I ALL; } >&2; then
		lab_stop "$service_name"
		return 1
	fi
}

ask_iscsi()
{
	local address host port protocol options
	service_question 3260 "$@"
	service_expect 'the capacity of a unit over iSCSI' '(16777216|32768|32767)' "$1" \
		iscsi-readcapacity16 "iscsi://$host:$port/$iscsi_name/1"
}
