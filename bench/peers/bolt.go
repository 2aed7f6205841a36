// SPDX-License-Identifier: Apache-2.0

// bbolt, as worker.py is for the other peers:
//
//	bolt write DIRECTORY            lines [NAME, VALUE or null] come in, "ok"
//	                                goes out for each when it is durable
//	bolt read DIRECTORY             a list of names comes in, an answer out
//	bolt check DIRECTORY            Tx.Check; exit status 1 if it complains
//	bolt compact DIRECTORY NEW      everything that can be read, into NEW
//
// It recovers from no panic: what a program that embeds bbolt would die of is
// what is asked.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

const (
	valueBytesMax   = 1 << 20
	listingTimesMax = 4
)

var bucket = []byte("images")

type answer struct {
	Error        string        `json:"error,omitempty"`
	Gets         []interface{} `json:"gets,omitempty"`
	Listing      [][2]string   `json:"listing"`
	ListingError *string       `json:"listing_error"`
}

// Bytes as Latin-1: a damaged store may answer with any.
func text(raw []byte) string {
	if len(raw) > valueBytesMax {
		return fmt.Sprintf("(%d bytes)", len(raw))
	}
	runes := make([]rune, len(raw))
	for i, b := range raw {
		runes[i] = rune(b)
	}
	return string(runes)
}

func file(directory string) string {
	return filepath.Join(directory, "images.bolt")
}

// It would make what is missing; this open does not.
func open(directory string) (*bolt.DB, error) {
	return bolt.Open(file(directory), 0o600, &bolt.Options{
		OpenFile: func(name string, flags int, mode os.FileMode) (
			*os.File, error) {
			return os.OpenFile(name, flags&^os.O_CREATE, mode)
		}})
}

func fatal(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func write(directory string) {
	fatal(os.MkdirAll(directory, 0o700))
	db, err := bolt.Open(file(directory), 0o600, nil)
	fatal(err)
	fatal(db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return err
	}))
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var change [2]*string
		fatal(json.Unmarshal(lines.Bytes(), &change))
		name := []byte(*change[0])
		fatal(db.Update(func(tx *bolt.Tx) error {
			if change[1] == nil {
				return tx.Bucket(bucket).Delete(name)
			}
			return tx.Bucket(bucket).Put(name, []byte(*change[1]))
		}))
		fmt.Println("ok")
	}
	fatal(lines.Err())
	fatal(db.Close())
}

func readAll(tx *bolt.Tx, names []string, found *answer) error {
	images := tx.Bucket(bucket)
	if images == nil {
		return fmt.Errorf("no such bucket")
	}
	for _, name := range names {
		if value := images.Get([]byte(name)); value != nil {
			found.Gets = append(found.Gets, text(value))
		} else {
			found.Gets = append(found.Gets, nil)
		}
	}
	cursor := images.Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		found.Listing = append(found.Listing,
			[2]string{text(key), text(value)})
		if len(found.Listing) > listingTimesMax*len(names) {
			break
		}
	}
	return nil
}

func read(directory string) {
	var names []string
	found := answer{Listing: [][2]string{}}
	fatal(json.NewDecoder(os.Stdin).Decode(&names))
	db, err := open(directory)
	if err == nil {
		err = db.View(func(tx *bolt.Tx) error {
			return readAll(tx, names, &found)
		})
	}
	if err != nil {
		found.Error = err.Error()
	}
	fatal(json.NewEncoder(os.Stdout).Encode(found))
}

func check(directory string) {
	complaints := 0
	db, err := open(directory)
	fatal(err)
	fatal(db.View(func(tx *bolt.Tx) error {
		for err := range tx.Check() {
			fmt.Println(err)
			complaints++
		}
		return nil
	}))
	if complaints > 0 {
		os.Exit(1)
	}
}

func compact(directory, fresh string) {
	from, err := open(directory)
	fatal(err)
	fatal(os.MkdirAll(fresh, 0o700))
	to, err := bolt.Open(file(fresh), 0o600, nil)
	fatal(err)
	fatal(bolt.Compact(to, from, 0))
	fatal(to.Close())
}

func main() {
	switch os.Args[1] {
	case "write":
		write(os.Args[2])
	case "read":
		read(os.Args[2])
	case "check":
		check(os.Args[2])
	case "compact":
		compact(os.Args[2], os.Args[3])
	}
}
