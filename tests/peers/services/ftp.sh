# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # what services-lib.sh reads
# Packages: vsftpd; curl. Real: FTP on 21, passive data connections on 32768-60999 (option FIRST-LAST of the
# serve: another range), TCP. A file is fetched, passively; option active: the server connects from 20 to a
# port of the client; asked on a data port, the client begins on 21 all the same; option pasv: by PASV, not EPSV.
. "$(dirname "${BASH_SOURCE[0]}")/../services-lib.sh"

serve_ftp()
{
	local service_name service_dir address host port range six='' listen4=YES listen6=NO
	service_begin ftp "$1" "$2" "$3" 21 || return 0
	range=$(service_range 32768-60999 "${@:4}")
	[[ $address != *:* ]] || six=6 listen4=NO listen6=YES
	mkdir -p "$service_dir/files" "$service_dir/empty"
	echo 'hello from the archive' >"$service_dir/files/hello.txt"
	service_conf vsftpd.conf "SIX=$six" "LISTEN4=$listen4" "LISTEN6=$listen6" "FIRST=${range%-*}" "LAST=${range#*-}"
	service_spawn "$1" vsftpd "$service_dir/vsftpd.conf"
	service_ready "$1" "tcp/$port"
}

ask_ftp()
{
	local address host port protocol options words=() how=passively
	service_question 21 "$@"
	((port < 1024)) || port=21
	case $options in
	*' active '*) words=(--ftp-port -) how=actively ;;
	*' pasv '*) words=(--disable-epsv) ;;
	esac
	service_expect "a file, fetched $how over FTP" 'hello from the archive' "$1" curl -gsS --noproxy '*' "${words[@]}" \
		"ftp://$host:$port/hello.txt"
}
