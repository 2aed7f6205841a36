# SPDX-License-Identifier: Apache-2.0
# put --from oci:DIR[:TAG], on layouts that umoci made and on made-up ones.
load helper.bash

# layout DIR TAG…: an OCI image layout with one empty image for each tag.
layout()
{
	local tag
	umoci init --layout "$1"
	for tag in "${@:2}"; do
		umoci new --image "$1:$tag"
		# Two images that do not differ would be one.
		umoci config --image "$1:$tag" --config.cmd "$tag"
	done
}

# descriptor DIR TAG FIELD, as index.json has it.
descriptor()
{
	/usr/bin/python3 -c '
import json, sys
for entry in json.load(open(sys.argv[1] + "/index.json"))["manifests"]:
    if entry["annotations"]["org.opencontainers.image.ref.name"] == sys.argv[2]:
        print(entry[sys.argv[3]])' "$@"
}

# index DIR EXPRESSION: changes index.json, which the expression knows as i.
index()
{
	/usr/bin/python3 -c '
import json, sys
path = sys.argv[1] + "/index.json"
i = json.load(open(path))
exec(sys.argv[2])
json.dump(i, open(path, "w"))' "$@"
}

@test "the descriptor of a tag is taken as it stands in the layout" {
	layout images one two
	expect 0 put a --from oci:images:two
	expect 0 get --json a
	is "$(json target/digest)" "$(descriptor images two digest)"
	is "$(json target/size)" "$(descriptor images two size)"
	is "$(json target/mediaType)" "$(descriptor images two mediaType)"
}

@test "without a tag it is the only image" {
	layout images other
	expect 0 put a --from oci:images
	expect 0 get -q a
	is "$output" "$(descriptor images other digest)"
}

@test "without a tag it is latest among several" {
	layout images one latest two
	expect 0 put a --from oci:images
	expect 0 get -q a
	is "$output" "$(descriptor images latest digest)"
}

@test "several without latest have to be told apart" {
	layout images one two
	refuse_untouched 2 "holds 2 images" put a --from oci:images
	refuse_untouched 2 "no image is tagged three" put a \
		--from oci:images:three
	[ ! -e "$store" ]
}

@test "a colon belongs to the directory if that exists as a whole" {
	layout images one
	mkdir plain
	# umoci splits at a colon itself, so the directory is renamed.
	mv images "plain/images:one"
	expect 0 put a --from "oci:plain/images:one"
	expect 0 put b --from "oci:plain/images:one:one"
	expect 0 get -q b
	is "$output" "$(descriptor "plain/images:one" one digest)"
	refuse 2 "no image is tagged two" put c \
		--from "oci:plain/images:one:two"
}

@test "an empty layout, no layout and nothing at all" {
	layout images
	refuse_untouched 2 "holds no image" put a --from oci:images
	mkdir empty
	refuse_untouched 65 "no oci-layout" put a --from oci:empty
	refuse_untouched 2 "no such directory" put a --from oci:absent
	refuse_untouched 2 "no such directory" put a --from oci:absent:tag
	: >file
	refuse_untouched 65 "oci:file: not a directory" put a --from oci:file
	refuse_untouched 65 "oci:file: not a directory" put a --from oci:file:x
	refuse_untouched 64 "tag is missing" put a --from oci:images:
	refuse_untouched 64 "must be oci:DIR" put a --from images
	refuse_untouched 64 "must be oci:DIR" put a --from oci:
	refuse_untouched 64 "must be oci:DIR" put a --from docker:images
	[ ! -e "$store" ]
}

@test "the blob must be there with that size and digest" {
	layout images one
	digest=$(descriptor images one digest)
	blob=images/blobs/sha256/${digest#sha256:}
	cp "$blob" saved

	printf X | dd of="$blob" bs=1 seek=3 conv=notrunc status=none
	refuse_untouched 65 "its content has the digest" put a \
		--from oci:images
	cp saved "$blob"
	printf X >>"$blob"
	refuse_untouched 65 "has .* bytes, index.json says" put a \
		--from oci:images
	rm "$blob"
	refuse_untouched 65 "is missing" put a --from oci:images
	mkdir "$blob"
	refuse_untouched 65 "not a regular file" put a --from oci:images
	rmdir "$blob"
	mkfifo "$blob"
	refuse_untouched 65 "not a regular file" put a --from oci:images
	rm "$blob"
	cp saved "$blob"
	[ ! -e "$store" ]
	expect 0 put a --from oci:images
}

@test "a damaged index is refused" {
	layout images one
	cp images/index.json saved
	while IFS='|' read -r change says; do
		cp saved images/index.json
		index images "$change"
		refuse_untouched 65 "oci:images: .*$says" put a \
			--from oci:images:one
	done <<-'END'
	del i["manifests"]|no "manifests"
	i["manifests"] = {}|must be an array
	del i["manifests"][0]["size"]|"size" is missing
	i["manifests"][0]["size"] = "1"|"size" must be a whole number
	i["manifests"][0]["digest"] = "sha256:../../../../etc/passwd"|Digest
	i["manifests"] *= 2|2 images are tagged one
	END
	for text in "" "{" "[]"; do
		echo "$text" >images/index.json
		refuse_untouched 65 "oci:images: index.json: " put a \
			--from oci:images
	done
	cp saved images/index.json
	for text in '{"imageLayoutVersion": "2.0.0"}' '{}'; do
		echo "$text" >images/oci-layout
		refuse_untouched 65 \
			"oci:images: oci-layout: imageLayoutVersion" put a \
			--from oci:images
	done
}

@test "what is no file is not waited for" {
	layout images one
	for file in index.json oci-layout; do
		mv images/$file saved
		mkfifo images/$file
		refuse_untouched 65 "oci:images: $file: not a regular file" \
			put a --from oci:images
		rm images/$file
		mv saved images/$file
	done
}

@test "fields of a descriptor that are not ours are no error" {
	layout images one
	index images 'i["manifests"][0]["x.y/z"] = {"deep": [1, 2]}'
	index images 'i["more"] = None'
	expect 0 put a --from oci:images:one
}
