# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: samba; smbclient. Real: SMB 2.1 and 3 on 445 and, in NetBIOS sessions, on 139, TCP. A PORT of
# its own serves that alone. A file of the share is read.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

# smb.conf and the directories beside it. PORTS HELPERS [RANGE]
smb_conf()
{
	mkdir -p "$service_dir/share" "$service_dir/private" "$service_dir/run"
	service_conf smb.conf "LENGTH=$([[ $address == *:* ]] && echo 64 || echo 24)" "PORTS=$1" "HELPERS=$2" \
		"RANGE=${3:-49152-65535}"
}

serve_smb()
{
	local service_name service_dir address host port ports
	service_begin smb "$1" "$2" "$3" '445 139' || return 0
	smb_conf "$port" yes
	echo 'hello from the share' >"$service_dir/share/hello.txt"
	service_spawn "$1" smbd --foreground --no-process-group -s "$service_dir/smb.conf" --debug-stdout
	read -ra ports <<<"$port"
	service_ready "$1" "${ports[@]/#/tcp/}"
}

# A client's configuration, once a party: PARTY -> its file
smb_client()
{
	local service_name service_dir address=127.0.0.1 host=127.0.0.1 port=0
	service_dir="$LAB_DIR/peers/smb/client-$1"
	[ -e "$service_dir/smb.conf" ] || smb_conf 445 yes
	echo "$service_dir/smb.conf"
}

ask_smb()
{
	local address host port protocol options
	service_question 445 "$@"
	service_expect "a file, read over SMB on $port" 'hello from the share' "$1" \
		smbclient -s "$(smb_client "$1")" -N -p "$port" "//$address/share" -c 'get hello.txt -'
}
