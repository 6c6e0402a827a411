# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: nfs-ganesha nfs-ganesha-vfs rpcbind nfs-common; libnfs-utils. All real: NFS version 4 and 3 on
# 2049, mountd on 635, lockd on 4045 (option locks=PORT), the portmapper on 111, each on TCP and UDP; with
# the option statd=PORT the status monitor too. ganesha binds every address: one server a party, whose name has "any" for an address.
# Asked on 2049/tcp a file is read over version 4 (option v3: over version 3, which needs 111 and 635 too;
# option portless: over version 3 without the portmapper); on the other ports, and on UDP, which no client
# of user space uses, the program that has the port answers a call.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

nfs_option() # NAME DEFAULT WORD...: the value of NAME=VALUE
{
	local name=$1 value=$2 word
	shift 2
	for word in "$@"; do
		[[ $word != "$name="* ]] || value=${word#*=}
	done
	echo "$value"
}

serve_nfs()
{
	local service_name service_dir address host port locks statd ports
	locks=$(nfs_option locks 4045 "$@")
	statd=$(nfs_option statd '' "$@")
	service_begin nfs "$1" any - 2049 || return 0
	address=$2 host=$2
	[[ $address != *:* ]] || host="[$address]"
	service_conf ganesha.conf "LOCKS=$locks"
	service_spawn_private "$1" "$services_conf/nfs-server" "$service_dir" "$statd"
	ports=({tcp,udp}/{111,635,2049,"$locks"})
	[ -z "$statd" ] || ports+=({tcp,udp}/"$statd")
	service_ready "$1" "${ports[@]}"
}

# The RPC program of a port, by the portmapper's numbers: PORT
nfs_program()
{
	case $1 in
	111) echo 100000 2 ;;
	635) echo 100005 3 ;;
	2049) echo 100003 3 ;;
	4045 | 4049 | 4001) echo 100021 4 ;;
	*) echo 100024 1 ;;
	esac
}

# One call of a program on the port itself, without the portmapper's help. PARTY
nfs_call()
{
	local program version netid=$protocol
	[[ $address != *:* ]] || netid+=6
	read -r program version < <(nfs_program "$port")
	[[ $options != *' locks '* ]] || program=100021 version=4
	service_expect "RPC program $program version $version answered on $port/$protocol" 'ready and waiting' "$1" \
		rpcinfo -a "$address.$((port >> 8)).$((port & 255))" -T "$netid" "$program" "$version"
}

ask_nfs()
{
	local address host port protocol options url version=4
	service_question 2049 "$@"
	if [ "$port/$protocol" != 2049/tcp ]; then
		nfs_call "$1"
		return
	fi
	case $options in *' v3 '* | *' portless '*) version=3 ;; esac
	url="nfs://$address/export/hello.txt?version=$version"
	[[ $options != *' portless '* ]] || url+='&nfsport=2049&mountport=635'
	service_expect "a file, read over NFS version $version" 'hello from the file server' "$1" nfs-cat "$url"
}
