// The value of a file's line in a manifest. There is a line for each of up to a million files, so it is written as text at once, without values
// in between (repository-format.md section 4).

import BackstopCore

struct ManifestFileText {
    /// What the default entries say; it is left out.
    let owner: Manifest.Owner
    let mode: UInt32
    /// Of the manifest.
    let references: [String]

    /// Appends the object of `file`, members in byte order of their names.
    func write(_ file: StoredFile, to out: inout [UInt8]) {
        // Moved, not copied: nobody else holds it meanwhile.
        var object = Members()
        swap(&object.out, &out)
        if file.blockSize != 0 {
            object.add("bi", file.blockSize / 8192)
            if file.blockChecksumSize != 6 { object.add("bic", UInt64(file.blockChecksumSize)) }
        }
        if let map = file.blockMapSize { object.add("bim", map) }
        if let bundle = file.bundle {
            object.add("bni", bundle)
            if file.bundleOffset != 0 { object.add("bno", file.bundleOffset) }
        }
        if file.size != 0, let checksum = file.checksum { object.add("checksum", checksum) }
        if let valid = file.pagesValid { object.add("checksum-page", valid ? "true" : "false") }
        let errors = file.pageErrors
        if !errors.isEmpty {
            object.add(
                "checksum-page-error",
                .array(
                    errors.map { range in
                        range.count == 1
                            ? .integer(Int64(range.lowerBound))
                            : .array([.integer(Int64(range.lowerBound)), .integer(Int64(range.upperBound))])
                    }))
        }
        if file.owner.group != owner.group { object.add("group", file.owner.groupJSON) }
        if file.mode != mode { object.add("mode", octal(file.mode)) }
        if let checksum = file.repositoryChecksum { object.add("rck", checksum) }
        if let reference = file.reference { object.add("reference", quoted: references[reference]) }
        if file.repositorySize != file.size { object.add("repo-size", file.repositorySize) }
        object.add("size", file.size)
        if file.originalSize != file.size { object.add("szo", file.originalSize) }
        if file.timestamp < 0 { object.add("timestamp", .integer(file.timestamp)) } else { object.add("timestamp", UInt64(file.timestamp)) }
        if file.owner.user != owner.user { object.add("user", file.owner.userJSON) }
        object.end()
        swap(&object.out, &out)
    }

    private struct Members {
        var out: [UInt8] = []
        private var isFirst = true

        mutating func add(_ name: StaticString, _ number: UInt64) {
            begin(name)
            out.append(decimal: number)
        }

        mutating func add(_ name: StaticString, _ checksum: SHA1Value) {
            begin(name)
            out.append(UInt8(ascii: "\""))
            checksum.write(to: &out)
            out.append(UInt8(ascii: "\""))
        }

        /// A word of the language.
        mutating func add(_ name: StaticString, _ word: StaticString) {
            begin(name)
            out.append(ascii: word)
        }

        mutating func add(_ name: StaticString, quoted text: String) {
            begin(name)
            JSON.write(text, to: &out)
        }

        mutating func add(_ name: StaticString, _ value: JSON) {
            begin(name)
            value.write(to: &out)
        }

        private mutating func begin(_ name: StaticString) {
            out.append(UInt8(ascii: isFirst ? "{" : ","))
            isFirst = false
            out.append(UInt8(ascii: "\""))
            out.append(ascii: name)
            out.append(UInt8(ascii: "\""))
            out.append(UInt8(ascii: ":"))
        }

        mutating func end() { out.append(UInt8(ascii: "}")) }
    }
}

extension [UInt8] {
    mutating func append(ascii text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(decimal number: UInt64) {
        let begin = count
        var rest = number
        repeat {
            append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self[begin...].reverse()
    }
}
