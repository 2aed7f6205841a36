// SPDX-License-Identifier: Apache-2.0

// What containerd's image store answers to random calls, for
// test_images_containerd.c to repeat them.
//
//	go run images.go SEED CALLS
//
// Prints a line for each call: its name, its arguments, and the answer: code,
// text, and what came back. Texts are in hexadecimal, "-" is the empty one;
// maps are KEY=VALUE,… in order, lists without items are "none".
//
//	create NAME LABELS MEDIA DIGEST SIZE ANNOTATIONS  CODE TEXT IMAGE
//	update NAME LABELS MEDIA DIGEST SIZE ANNOTATIONS PATHS  CODE TEXT IMAGE
//	get NAME  CODE TEXT IMAGE
//	delete NAME  CODE TEXT -
//	list FILTERS  CODE TEXT NAMES
package main

import (
	"bufio"
	"context"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/containerd/containerd/errdefs"
	"github.com/containerd/containerd/images"
	"github.com/containerd/containerd/metadata"
	"github.com/containerd/containerd/namespaces"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"
	bolt "go.etcd.io/bbolt"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

var out = bufio.NewWriter(os.Stdout)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func text(s string) string {
	if s == "" {
		return "-"
	}
	return hex.EncodeToString([]byte(s))
}

func keys(m map[string]string) (sorted []string) {
	for key := range m {
		sorted = append(sorted, key)
	}
	sort.Strings(sorted)
	return sorted
}

func mapText(m map[string]string) string {
	var pairs []string
	for _, key := range keys(m) {
		pairs = append(pairs, text(key)+"="+text(m[key]))
	}
	if pairs == nil {
		return "-"
	}
	return strings.Join(pairs, ",")
}

func list(items []string) string {
	if items == nil {
		return "none"
	}
	var texts []string
	for _, item := range items {
		texts = append(texts, text(item))
	}
	return strings.Join(texts, ",")
}

func shape(image images.Image) string {
	s := "labels"
	for _, key := range keys(image.Labels) {
		s += " " + key + "=" + image.Labels[key]
	}
	s += fmt.Sprintf("; target %s %s %d; annotations",
		image.Target.MediaType, image.Target.Digest, image.Target.Size)
	for _, key := range keys(image.Target.Annotations) {
		s += " " + key + "=" + image.Target.Annotations[key]
	}
	return text(s)
}

// The answer as a client of the service sees it.
func answer(err error, back string) []string {
	if err == nil {
		return []string{"OK", "-", back}
	}
	s := status.Convert(errdefs.ToGRPC(err))
	return []string{s.Code().String(), text(string([]rune(s.Message()))), "-"}
}

func line(words ...string) {
	fmt.Fprintln(out, strings.Join(words, "\t"))
}

// --- random arguments ---

var r *rand.Rand

func pick(from ...string) string {
	return from[r.Intn(len(from))]
}

func randomName() string {
	return pick("a", "a", "a", "b", "b", "c", "a/b", "a:b", "docker.io/x:1",
		"", "é", "A", "a b", "\"", "\n", "\u00a0")
}

func randomMap() map[string]string {
	m := map[string]string{}
	for n := r.Intn(4); n > 0; n-- {
		m[pick("a", "b", "c", "x.y/z", "é", "a.b")] =
			pick("1", "2", "", "é", "yes")
	}
	return m
}

func randomImage() images.Image {
	image := images.Image{
		Name:   randomName(),
		Labels: randomMap(),
		Target: ocispec.Descriptor{
			MediaType: pick("m", "m", "m", "m", "m", "n", "n", ""),
			Digest: digest.Digest(pick(
				"sha256:"+strings.Repeat("a", 64),
				"sha256:"+strings.Repeat("a", 64),
				"sha256:"+strings.Repeat("a", 64),
				"sha256:"+strings.Repeat("b", 64),
				"sha256:"+strings.Repeat("b", 64),
				"sha512:"+strings.Repeat("c", 128),
				"sha256:"+strings.Repeat("A", 64),
				"sha256:abc", "md5:abc", "", "sha256:", "x")),
			Size:        []int64{1, 1, 1, 1, 2, 2, 7, 0, -1}[r.Intn(9)],
			Annotations: randomMap(),
		},
	}
	if r.Intn(20) == 0 {
		image.Labels[pick("k", "0123456789a", "012345678é")] =
			strings.Repeat("v", 4096)
	}
	return image
}

func randomPaths() (paths []string) {
	for n := r.Intn(4); n > 0; n-- {
		paths = append(paths, pick("labels", "labels.a", "labels.b",
			"labels.x.y/z", "labels.nope", "labels.", "annotations",
			"annotations.a", "annotations.c", "target", "target",
			"labels", "labels.a", "labels.b", "annotations",
			"labels.é", pick("name", "", "target.digest", "created_at",
				"labels.c", "annotations.b", "annotations.")))
	}
	return paths
}

func randomFilters() (filters []string) {
	for n := r.Intn(3); n > 0; n-- {
		filters = append(filters, pick("", "name", "name==a", "name==b",
			"name!=a", "name~=/^a/", "name~=b", "labels.a", "labels.a==1",
			"labels.a!=1", `labels."x.y/z"==yes`, "labels", "labels.a.b",
			"annotations.b", "annotations.b~=/[12]/", "target.digest",
			"target.digest~=/:a/", "target.mediatype==m", "target.size",
			"nope", "nope!=1", "nope~=/.*/", "name=a", "name==", "name==a,",
			"name==a,labels.a", "labels.x/y", "name ==a", "name~=[",
			`"name"==é`, "labels.é", "target.digest.x"))
	}
	return filters
}

// --- the calls, as containerd's service makes them of requests ---

type store struct {
	images.Store
}

func (s store) create(ctx context.Context) {
	image := randomImage()
	words := []string{"create", text(image.Name), mapText(image.Labels),
		text(image.Target.MediaType), text(image.Target.Digest.String()),
		fmt.Sprint(image.Target.Size), mapText(image.Target.Annotations)}
	if image.Name == "" {
		line(append(words, answer(status.Error(codes.InvalidArgument,
			"Image.Name required"), "")...)...)
		return
	}
	created, err := s.Create(ctx, image)
	line(append(words, answer(err, shape(created))...)...)
}

func (s store) update(ctx context.Context) {
	image, paths := randomImage(), randomPaths()
	words := []string{"update", text(image.Name), mapText(image.Labels),
		text(image.Target.MediaType), text(image.Target.Digest.String()),
		fmt.Sprint(image.Target.Size), mapText(image.Target.Annotations),
		list(paths)}
	if image.Name == "" {
		line(append(words, answer(status.Error(codes.InvalidArgument,
			"Image.Name required"), "")...)...)
		return
	}
	updated, err := s.Update(ctx, image, paths...)
	line(append(words, answer(err, shape(updated))...)...)
}

func (s store) get(ctx context.Context) {
	name := randomName()
	image, err := s.Get(ctx, name)
	line(append([]string{"get", text(name)},
		answer(err, shape(image))...)...)
}

func (s store) delete(ctx context.Context) {
	name := randomName()
	if name == "" {
		// "not found", but where no image is left bbolt has an empty key
		// that is no bucket, and says so.
		name = "nope"
	}
	line(append([]string{"delete", text(name)},
		answer(s.Delete(ctx, name), "-")...)...)
}

func (s store) list(ctx context.Context) {
	filters := randomFilters()
	found, err := s.List(ctx, filters...)
	names := ""
	for _, image := range found {
		names += image.Name + " "
	}
	line(append([]string{"list", list(filters)},
		answer(err, text(names))...)...)
}

func number(i int) int {
	if i >= len(os.Args) {
		check(fmt.Errorf("usage: images SEED CALLS"))
	}
	n, err := strconv.Atoi(os.Args[i])
	check(err)
	return n
}

func main() {
	logrus.SetOutput(io.Discard) // it tells of bad expressions
	r = rand.New(rand.NewSource(int64(number(1))))
	directory, err := os.MkdirTemp("", "waybill-test-")
	check(err)
	defer os.RemoveAll(directory)
	file, err := bolt.Open(filepath.Join(directory, "meta.db"), 0600,
		&bolt.Options{NoSync: true, NoFreelistSync: true})
	check(err)
	ctx := namespaces.WithNamespace(context.Background(), "default")
	db := metadata.NewDB(file, nil, nil)
	check(db.Init(ctx))
	s := store{metadata.NewImageStore(db)}
	for n := number(2); n > 0; n-- {
		switch r.Intn(8) {
		case 0, 1:
			s.create(ctx)
		case 2, 3, 4:
			s.update(ctx)
		case 5:
			s.get(ctx)
		case 6:
			s.delete(ctx)
		default:
			s.list(ctx)
		}
	}
	check(out.Flush())
}
