// Writing a manifest: sections and keys in byte order, what equals a default left out.

import BackstopCore

/// The entries of a manifest, one after the other. The lists must be sorted.
struct ManifestEntries {
    typealias Entry = (section: String, key: String, value: JSON)

    private let manifest: Manifest
    private let head: [Entry]
    private let tail: [Entry]
    private let file: ManifestFileText
    private var position = 0

    init(_ manifest: Manifest, version: String) {
        self.manifest = manifest
        let owner = manifest.places.dataFolder?.owner ?? Manifest.Owner()
        let folderMode = manifest.places.dataFolder?.mode ?? 0o700
        file = ManifestFileText(owner: owner, mode: folderMode & 0o640, references: manifest.references.map(\.text))
        head = InfoFileWriter.begin(version: version, format: manifest.format) + manifest.head
        tail = manifest.tail(owner, fileMode: file.mode, folderMode: folderMode)
    }

    /// Writes the next one. False: there is none.
    mutating func next(into writer: inout InfoFileWriter) -> Bool {
        defer { position += 1 }
        let index = position - head.count
        if index >= 0, index < manifest.files.count {
            writer.add("target:file", manifest.files[index].name.text) { file.write(manifest.files[index], to: &$0) }
            return true
        }
        let rest = index - manifest.files.count
        guard index < 0 || rest < tail.count else { return false }
        let entry = index < 0 ? head[position] : tail[rest]
        writer.add(entry.section, entry.key, entry.value)
        return true
    }
}

/// The text of a manifest, made while it is read: that of a million files is never in memory as a whole.
struct ManifestText: ByteSource {
    private var entries: ManifestEntries
    private var writer: InfoFileWriter
    /// What was made and not read yet, from `taken` on.
    private var taken = 0
    private var isWhole = false

    private static let portion = 64 << 10

    init(_ manifest: Manifest, _ sha1: any Checksum, version: String) {
        entries = ManifestEntries(manifest, version: version)
        writer = InfoFileWriter(sha1)
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        if taken == writer.bytes.count {
            writer.forget()
            taken = 0
            while !isWhole, writer.bytes.count < Self.portion {
                if !entries.next(into: &writer) {
                    try writer.end()
                    isWhole = true
                }
            }
        }
        let count = min(out.freeCapacity, writer.bytes.count - taken)
        out.append(contentsOf: writer.bytes, taken..<taken + count)
        taken += count
        return !isWhole || taken < writer.bytes.count
    }
}

extension Manifest {
    /// What comes before the files.
    fileprivate var head: [ManifestEntries.Entry] {
        var entries: [ManifestEntries.Entry] = []
        writeBackup(to: &entries)
        writeDatabase(to: &entries)
        writeSettings(to: &entries)
        for target in places.targets { entries.append(("backup:target", target.name, target.json)) }
        entries += CipherSection(seal).lines
        for database in databases {
            entries.append(("db", database.name, .object(["db-id": JSON(database.id), "db-last-system-id": JSON(database.lastSystemID)])))
        }
        if !annotations.isEmpty { entries.append(("metadata", "annotation", .object(annotations.mapValues { .string($0) }))) }
        return entries
    }

    /// What comes after them.
    fileprivate func tail(_ owner: Owner, fileMode: UInt32, folderMode: UInt32) -> [ManifestEntries.Entry] {
        var entries: [ManifestEntries.Entry] = [
            ("target:file:default", "group", owner.groupJSON), ("target:file:default", "mode", octal(fileMode)),
            ("target:file:default", "user", owner.userJSON),
        ]
        for link in places.links {
            var object: [String: JSON] = ["destination": .string(link.destination)]
            link.owner.write(to: &object, besides: owner)
            entries.append(("target:link", link.name, .object(object)))
        }
        if !places.links.isEmpty {
            entries.append(("target:link:default", "group", owner.groupJSON))
            entries.append(("target:link:default", "user", owner.userJSON))
        }
        for path in places.paths {
            var object: [String: JSON] = [:]
            path.owner.write(to: &object, besides: owner)
            if path.mode != folderMode { object["mode"] = octal(path.mode) }
            entries.append(("target:path", path.name, .object(object)))
        }
        entries.append(("target:path:default", "group", owner.groupJSON))
        entries.append(("target:path:default", "mode", octal(folderMode)))
        entries.append(("target:path:default", "user", owner.userJSON))
        return entries
    }

    private func writeBackup(to entries: inout [ManifestEntries.Entry]) {
        func add(_ key: String, _ value: JSON?) { if let value { entries.append(("backup", key, value)) } }
        add("backup-archive-start", archiveStart.map { .string($0) })
        add("backup-archive-stop", archiveStop.map { .string($0) })
        if isBlockIncremental { add("backup-block-incr", .bool(true)) }
        if isBundled { add("backup-bundle", .bool(true)) }
        if isBundledRaw { add("backup-bundle-raw", .bool(true)) }
        add("backup-label", .string(label.text))
        add("backup-lsn-start", lsnStart.map { .string($0) })
        add("backup-lsn-stop", lsnStop.map { .string($0) })
        add("backup-prior", prior.map { .string($0.text) })
        add("backup-reference", .string(references.map(\.text).joined(separator: ",")))
        add("backup-timestamp-copy-start", .integer(timestampCopyStart))
        add("backup-timestamp-start", .integer(timestampStart))
        add("backup-timestamp-stop", .integer(timestampStop))
        add("backup-type", .string(type.rawValue))
    }

    private func writeDatabase(to entries: inout [ManifestEntries.Entry]) {
        entries.append(("backup:db", "db-catalog-version", JSON(database.catalogVersion ?? 0)))
        entries.append(("backup:db", "db-control-version", JSON(database.controlVersion ?? 0)))
        entries.append(("backup:db", "db-id", JSON(database.id)))
        entries.append(("backup:db", "db-system-id", JSON(database.systemID)))
        entries.append(("backup:db", "db-version", .string(database.version.description)))
    }

    private func writeSettings(to entries: inout [ManifestEntries.Entry]) {
        func add(_ key: String, _ value: JSON) { entries.append(("backup:option", "option-" + key, value)) }
        add("archive-check", .bool(settings.archiveCheck))
        add("archive-copy", .bool(settings.archiveCopy))
        add("backup-standby", .bool(settings.standby))
        add("buffer-size", .integer(settings.bufferSize))
        add("checksum-page", .bool(settings.checksumPage))
        add("compress", .bool(settings.compressType != "none"))
        add("compress-level", .integer(settings.compressLevel))
        add("compress-level-network", .integer(settings.compressLevelNetwork))
        add("compress-type", .string(settings.compressType))
        add("delta", .bool(settings.delta))
        add("hardlink", .bool(settings.hardlink))
        add("online", .bool(settings.online))
        add("process-max", .integer(settings.processMax))
    }
}

func octal(_ mode: UInt32) -> JSON {
    let digits = String(mode, radix: 8)
    return .string(String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
}

extension Manifest.Owner {
    var userJSON: JSON { user.map { .string($0) } ?? .bool(false) }
    var groupJSON: JSON { group.map { .string($0) } ?? .bool(false) }

    fileprivate func write(to object: inout [String: JSON], besides owner: Manifest.Owner) {
        if user != owner.user { object["user"] = userJSON }
        if group != owner.group { object["group"] = groupJSON }
    }
}

extension Manifest.Target {
    fileprivate var json: JSON {
        var object: [String: JSON] = ["path": .string(path), "type": .string(isLink ? "link" : "path")]
        if let file { object["file"] = .string(file) }
        if let tablespace {
            object["tablespace-id"] = .string(tablespace.id)
            object["tablespace-name"] = .string(tablespace.name)
        }
        return .object(object)
    }
}
