# SPDX-License-Identifier: Apache-2.0
# The manual names each field of what --json prints, and no other.
load helper.bash

# told PAGE ARGUMENT…: what it prints is one of the page's answers.
told()
{
	waybill --json "${@:2}" >>"$place/told.$1" || [ $? -le 6 ]
}

# Of every command, and of each as much as it can say.
tell_all()
{
	put a $d1 --label tier=gold --reason first
	put a $d2
	put b $d2
	waybill rm b >/dev/null
	echo '{"mediaType":"t","digest":"'$d1'","size":1,"annotations":{"k":"v"}}' |
		waybill put c - >/dev/null
	{ echo '{"format":"waybill-dump","version":1,"content":"state"}'
		echo '{"type":"record","kind":64,"namespace":"default",'$(
		)'"name":"x","value":""}'; } >body
	{ cat body; echo '{"type":"end","count":1,"sha256":"'$(
		sha256sum <body | cut -d ' ' -f 1)'"}'; } >other
	told load load other
	told load load other --dry-run --skip-existing
	told get get c
	told ls ls
	told log log
	told show show 'a@{1}'
	told diff diff 'a@{1}' a
	told stat stat
	told audit_head audit head
	told audit_log audit log
	told audit_verify audit verify
	told audit_verify audit verify --expect "2:$(printf '0%.0s' {1..64})"
	told put put d --media-type t --digest $d1 --size 1
	told tag tag d e
	told label label e x=y
	told undo undo e
	told rm rm e
	echo '{"op":"delete","name":"d"}' >plan
	told apply apply plan --dry-run
	told apply apply plan
	told frames frames anchor
	printf '\245' | dd of="$store/anchor" bs=1 seek=40 conv=notrunc status=none
	told frames frames anchor
	log=$store/0000000000000001.log
	told frames frames "$log"
	printf '\245' | dd of="$log" bs=1 conv=notrunc status=none \
		seek="$(grep -abo $library/b "$log" | head -n 1 | cut -d: -f1)"
	told frames frames "$log"
	told fsck fsck
	told fsck fsck --salvage new
}

# compared [EDIT]: what the pages lack, and what they have in vain, a line
# each; the pages go through the sed script EDIT first.
compared()
{
	mkdir -p pages
	for page in "$source_dir"/tools/man/*.scd; do
		sed "${1-}" "$page" >"pages/$(basename "$page")"
	done
	/usr/bin/python3 - "$place" <<-'END'
	import glob, json, os, re, sys

	def entries(page):
	    """{path: what it is}, in the section JSON."""
	    text = page.split("\n# JSON\n")[1].split("\n# ")[0]
	    found = {}
	    for line, what in re.findall(r"^(\*.*)\n((?:\t.*\n)+)", text, re.M):
	        for path in re.findall(r"\*([^*]+)\*", line.replace("\\", "")):
	            found[path] = what
	    return found

	def paths(value, known, path=""):
	    # What another page tells of, and the names that people gave.
	    if "*(1) prints" in known.get(path, "") or \
	            path.split(".")[-1] in ("labels", "annotations"):
	        yield path
	    elif isinstance(value, dict):
	        for key, inner in value.items():
	            yield from paths(inner, known, f"{path}.{key}".strip("."))
	    elif isinstance(value, list) and value and isinstance(value[0], dict):
	        for inner in value:
	            yield from paths(inner, known, path + "[]")
	    elif path:
	        yield path

	# A list of nothing, or null, is told as what else it can be.
	def is_whole(path, others):
	    return not any(other.startswith((path + ".", path + "[]"))
	                   for other in others)

	place = sys.argv[1]
	told = sorted(glob.glob(place + "/told.*"))
	# waybill itself has no answer, and that of dump is in docs/DUMP.md.
	assert len(told) == len(os.listdir(place + "/pages")) - 2, told
	for name in told:
	    command = name.rsplit(".", 1)[1]
	    with open(f"{place}/pages/{command}.scd") as file:
	        page = file.read()
	    known = entries(page)
	    with open(name) as file:
	        values = [json.loads(line) for line in file]
	    assert values, name
	    seen = {path for value in values for path in paths(value, known)}
	    seen = {path for path in seen if is_whole(path, seen)}
	    whole = page.split("\n# JSON\n")[1].strip().split("\n\n")[0]
	    if " as *waybill-" in " ".join(whole.split()):
	        continue  # all of it is told of there
	    for path in sorted(seen - set(known)):
	        print(f"{command} lacks {path}")
	    for path in sorted(set(known) - seen):
	        print(f"{command} has {path}")
	END
}

@test "the manual has every field of every answer in JSON, and no other" {
	tell_all
	run compared
	is "$status$output" 0
	# A field that is not told of, and one that is not there, are seen.
	run compared 's/^\*finding.remedy\*$/*finding.remedies*/'
	is "$output" "fsck lacks finding.remedy
fsck has finding.remedies"
	run compared 's/^\*change\*$/change/'
	is "$output" "audit_log lacks change"
}
