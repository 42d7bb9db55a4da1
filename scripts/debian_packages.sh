#!/bin/bash
# Install the Debian packages named, if they are missing: as root by apt-get, else say which command would.
# Never fails for want of rights, and never lets a package start a server.
set -euo pipefail

missing=()
for package in "$@"; do
  case "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)" in
    installed) ;;
    *) missing+=("$package") ;;
  esac
done
if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi

if ! command -v apt-get >/dev/null; then
  echo "Not a Debian machine: please install what Debian calls ${missing[*]}; tests that need them are skipped."
  exit 0
fi
install=(apt-get install -y --no-install-recommends "${missing[@]}")
if [ "$(id -u)" -ne 0 ]; then
  echo "Missing Debian packages; tests that need them are skipped until you run:  sudo ${install[*]}"
  exit 0
fi

# Debian asks policy-rc.d before a package starts its server. What stood there is put back.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
elif ! grep -q 'exit 101' "$policy"; then
  saved="$(mktemp)"
  cp -p "$policy" "$saved"
  trap 'mv "$saved" "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
fi

echo "Installing Debian packages: ${missing[*]} …"
log="$(mktemp)"
export DEBIAN_FRONTEND=noninteractive
# A machine's package lists may be older than its mirror; they are renewed only if the first try fails.
if ! "${install[@]}" >"$log" 2>&1 </dev/null; then
  apt-get update >>"$log" 2>&1 || true
  if ! "${install[@]}" >>"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    echo "Could not install ${missing[*]}; tests that need them are skipped." >&2
  fi
fi
rm -f "$log"
