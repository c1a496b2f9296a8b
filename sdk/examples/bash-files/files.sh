#!/usr/bin/env bash
# files: a plugwire plugin in Bash (4.4 or newer) and jq. It tells the size, the lines and the SHA-256 of a file.
#
# It speaks line framing, for which `framing = "line"` stands in plugin.toml: a body is a line, and a shell reads lines
# well. check-json.awk says whether a line is JSON, one jq that runs all the time takes it apart, and Bash keeps the
# state. Ids in brackets name sentences of the spec.
export LC_ALL=C # ${#line} counts bytes
here=$(dirname -- "${BASH_SOURCE[0]}")

fail() { printf 'files: %s\n' "$1" >&2; exit 2; } # FRM-10: the boundary is lost, or a tool is
for tool in awk jq sha256sum stdbuf tr wc; do
  command -v "$tool" >/dev/null || fail "$tool is needed"
done

# Only lines of ours may reach standard output [FRM-04]: it is descriptor 3 now, and what some command prints goes to
# standard error. What we read is descriptor 4, so that no command can eat the host's messages.
# Bash drops NUL bytes silently, and a body with one is no JSON; so tr makes another control character of them.
exec 3>&1 1>&2 4< <(exec stdbuf -o0 tr '\0' '\1' 3>&-) 0</dev/null
filter=$!

about_us='"plugin":{"name":"files","version":"1.0.0"},'
about_us+='"provides":[{"service":"files","version":"1.0.0","methods":["stat"]}]'
state=created
max_frame=4194304 max_depth=128 # until `initialize` says otherwise

# For each body jq gives the same six texts, each with a NUL at its end: what kind of message it is, its id as JSON,
# its method, what is wrong with its params as JSON, and up to two values of them.
coproc JQ { exec jq --unbuffered -j '
  def is_id: (type == "string" and length <= 128)
    or (type == "number" and floor == . and . >= -9007199254740991 and . <= 9007199254740991);   # MSG-11
  def id: if type == "object" and has("id") and (.id | is_id) then .id else null end;
  def is_message: type == "object" and .jsonrpc == "2.0"                                         # MSG-10, MSG-01
    and (.method | type == "string" and . != "")                                                 # MSG-02
    and (has("params") == false or (.params | type) == "object")                                 # MSG-03
    and (has("id") == false or (.id | is_id));
  def kind:
    # We make no calls, so every response is one that nobody waits for [MSG-19, MSG-28].
    if type == "object" and (has("method") | not) and (has("result") or has("error")) then "response"
    elif is_message | not then "invalid"
    elif has("id") then "request" else "notification" end;
  def expect(path; what; test): if test then empty else {path: path, message: "expected \(what)"} end;
  def limit(name; least; most): .limits | objects | .[name] | expect("$.limits.\(name)";
    "an integer from \(least) to \(most)"; type == "number" and floor == . and . >= least and . <= most);
  def problems(method):
    if method == "initialize" then
      expect("$.protocolVersion"; "two numbers like 1.0 in a string"; .protocolVersion | type == "string"
        and test("\\A(0|[1-9][0-9]{0,4})\\.(0|[1-9][0-9]{0,4})\\z")),
      expect("$.limits"; "an object"; .limits | type == "object"),
      limit("maxFrameBytes"; 4096; 1073741824), limit("maxDepth"; 16; 512)
    elif method == "files/stat" then
      expect("$.path"; "a string of 1 to 4096 bytes without NUL"; .path
        | type == "string" and length >= 1 and utf8bytelength <= 4096 and (explode | index(0) | not))
    else empty end;
  def values(method):
    if method == "initialize" then .protocolVersion, "\(.limits.maxFrameBytes) \(.limits.maxDepth)"
    elif method == "files/stat" then .path, (.path | tojson)
    else "", "" end;
  kind as $kind
  | (id | tojson) as $id
  # A name that we do not know matters no further, and it might have a NUL in it.
  | (if $kind == "request" or $kind == "notification" then .method else "" end
     | if test("\\A[ -~]{1,64}\\z") then . else "?" end) as $method
  | (if $kind == "request" then .params // {} else {} end) as $params                            # MSG-04
  | [$params | problems($method)] as $problems
  | $kind, $id, $method, ($problems | tojson),
    (if $kind == "request" and $problems == [] then $params | values($method) else "", "" end)
  | ., "\u0000"
' 3>&- 4<&-; }
exec 5<&"${JQ[0]}" 6>&"${JQ[1]}"
trap 'kill "$filter" "$JQ_PID" 2>/dev/null' EXIT

# An id goes in as JSON and never through the shell's arithmetic. FRM-24: one line, and jq writes no line end into it.
send_result() { # id, result as JSON
  local line
  printf -v line '{"jsonrpc":"2.0","id":%s,"result":%s}' "$1" "$2"
  if ((${#line} > max_frame)); then # ERR-06; only a result can be so long, for what our errors say is short
    send_error "$1" -32016 'the result does not fit into one frame' "{\"size\":${#line},\"limit\":$max_frame}"
  else
    printf '%s\n' "$line" >&3
  fi
}
send_error() { # id, code, message, and data as JSON or nothing
  printf '{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":"%s"%s}}\n' "$1" "$2" "$3" "${4:+,\"data\":$4}" >&3
}

answer_initialize() { # id, problems, version, limits
  if [[ $state != created ]]; then
    send_error "$1" -32600 'initialize was sent before' # LIF-01
  elif [[ $2 != '[]' ]]; then
    send_error "$1" -32602 'the params do not fit the method' "{\"problems\":$2}" # ERR-05
  elif [[ $3 != 1.* ]]; then # LIF-05; minor versions differ freely [LIF-07]
    send_error "$1" -32017 'this plugin speaks version 1' '{"supported":["1.0"]}'
  else
    read -r max_frame max_depth <<<"$4"
    state=initializing
    send_result "$1" "{\"protocolVersion\":\"1.0\",$about_us}"
  fi
}

answer_stat() { # id, problems, path, path as JSON
  local file=$3 bytes lines sum
  if [[ $2 != '[]' ]]; then
    send_error "$1" -32602 'the params do not fit the method' "{\"problems\":$2}"
    return
  fi
  [[ $file == /* ]] || file=./$file # a name that begins with - is no option
  # An error of our own has a positive code [ERR-02]. -f, because reading a pipe might never end.
  if [[ ! -f $file || ! -r $file ]]; then
    send_error "$1" 1 'there is no such file, or it cannot be read'
  elif bytes=$(wc -c <"$file") && lines=$(wc -l <"$file") && sum=$(sha256sum <"$file"); then
    send_result "$1" "{\"path\":$4,\"bytes\":$((bytes)),\"lines\":$((lines)),\"sha256\":\"${sum%% *}\"}"
  else
    send_error "$1" -32603 'the file could not be read' # ERR-03
  fi
}

receive_request() { # id, method, problems, and two values
  case $2 in
    ping) send_result "$1" null; return ;; # in every state [LIF-18]
    initialize) answer_initialize "$1" "$3" "$4" "$5"; return ;;
  esac
  if [[ $state != ready ]]; then
    send_error "$1" -32002 'the connection is not ready' # LIF-01
    return
  fi
  case $2 in
    shutdown) state=stopping; send_result "$1" null ;; # nothing is in flight while we read [LIF-13]
    files/stat) answer_stat "$1" "$3" "$4" "$5" ;;
    *) send_error "$1" -32601 'there is no such method' ;; # CAL-06
  esac
}

leave() { [[ $state == stopping ]] && exit 0 || exit 1; } # LIF-15, LIF-16

receive_notification() { # method
  # Others are ignored; $/cancelRequest too, for nothing is in flight while we read [CAL-21].
  [[ $1 != initialized || $state != initializing ]] || state=ready
  [[ $1 != exit ]] || leave
}

receive_line() {
  local json kind id method problems first second
  if ! json=$(awk -v max_depth="$max_depth" -f "$here/check-json.awk" <<<"$1"); then
    send_error null -32700 'the line is not JSON' # MSG-26, and on we go [FRM-11]
    return
  fi
  printf '%s\n' "$json" >&6
  for field in kind id method problems first second; do
    IFS= read -r -d '' -u 5 "$field" || fail 'jq has ended'
  done
  case $kind in
    request) receive_request "$id" "$method" "$problems" "$first" "$second" ;;
    notification) receive_notification "$method" ;;
    invalid) send_error "$id" -32600 'the line is no valid message' ;; # MSG-27
  esac
}

# Two bytes more than the limit are enough to know that a line is too long, with or without a CR at its end [FRM-26].
while IFS= read -r -n $((max_frame + 2)) -u 4 line; do
  # FRM-25. ${line%$'\r'} would do the same, but it takes minutes for a line of some megabytes.
  [[ ${line: -1} != $'\r' ]] || line=${line::-1}
  ((${#line} <= max_frame)) || fail 'a line is longer than maxFrameBytes [FRM-26]'
  [[ -z $line ]] || receive_line "$line"
done
[[ -z $line ]] || fail 'the input ended inside a line [FRM-18]'
leave
