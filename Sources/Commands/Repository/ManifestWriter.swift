// Writing a manifest: sections and keys in byte order, what equals a default left out.

import BackstopCore

extension Manifest {
    /// The lists must be sorted. A file name with a line feed cannot be written and was refused before.
    func bytes(_ sha1: any Checksum, version: String) throws(BackupError) -> [UInt8] {
        var writer = InfoFileWriter(sha1, version: version)
        writeBackup(to: &writer)
        writeDatabase(to: &writer)
        writeSettings(to: &writer)
        for target in targets { writer.add("backup:target", target.name, target.json) }
        writer.add(seal)
        for database in databases {
            writer.add("db", database.name, .object(["db-id": JSON(database.id), "db-last-system-id": JSON(database.lastSystemID)]))
        }
        if !annotations.isEmpty { writer.add("metadata", "annotation", .object(annotations.mapValues { .string($0) })) }

        let owner = dataFolder?.owner ?? Owner()
        let folderMode = dataFolder?.mode ?? 0o700
        let fileMode = folderMode & 0o640
        for file in files { writer.add("target:file", file.name, json(file, owner, fileMode)) }
        writer.add("target:file:default", "group", owner.groupJSON)
        writer.add("target:file:default", "mode", octal(fileMode))
        writer.add("target:file:default", "user", owner.userJSON)
        for link in links {
            var object: [String: JSON] = ["destination": .string(link.destination)]
            link.owner.write(to: &object, besides: owner)
            writer.add("target:link", link.name, .object(object))
        }
        if !links.isEmpty {
            writer.add("target:link:default", "group", owner.groupJSON)
            writer.add("target:link:default", "user", owner.userJSON)
        }
        for path in paths {
            var object: [String: JSON] = [:]
            path.owner.write(to: &object, besides: owner)
            if path.mode != folderMode { object["mode"] = octal(path.mode) }
            writer.add("target:path", path.name, .object(object))
        }
        writer.add("target:path:default", "group", owner.groupJSON)
        writer.add("target:path:default", "mode", octal(folderMode))
        writer.add("target:path:default", "user", owner.userJSON)
        return try writer.finish()
    }

    private func writeBackup(to writer: inout InfoFileWriter) {
        func add(_ key: String, _ value: JSON?) { if let value { writer.add("backup", key, value) } }
        add("backup-archive-start", archiveStart.map { .string($0) })
        add("backup-archive-stop", archiveStop.map { .string($0) })
        if isBlockIncremental { add("backup-block-incr", .bool(true)) }
        if isBundled { add("backup-bundle", .bool(true)) }
        if isBundledRaw { add("backup-bundle-raw", .bool(true)) }
        add("backup-label", .string(label))
        add("backup-lsn-start", lsnStart.map { .string($0) })
        add("backup-lsn-stop", lsnStop.map { .string($0) })
        add("backup-prior", prior.map { .string($0) })
        add("backup-reference", .string(references.joined(separator: ",")))
        add("backup-timestamp-copy-start", .integer(timestampCopyStart))
        add("backup-timestamp-start", .integer(timestampStart))
        add("backup-timestamp-stop", .integer(timestampStop))
        add("backup-type", .string(type.rawValue))
    }

    private func writeDatabase(to writer: inout InfoFileWriter) {
        writer.add("backup:db", "db-catalog-version", JSON(database.catalogVersion ?? 0))
        writer.add("backup:db", "db-control-version", JSON(database.controlVersion ?? 0))
        writer.add("backup:db", "db-id", JSON(database.id))
        writer.add("backup:db", "db-system-id", JSON(database.systemID))
        writer.add("backup:db", "db-version", .string(database.version))
    }

    private func writeSettings(to writer: inout InfoFileWriter) {
        func add(_ key: String, _ value: JSON) { writer.add("backup:option", "option-" + key, value) }
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

    private func json(_ file: File, _ owner: Owner, _ mode: UInt32) -> JSON {
        var object: [String: JSON] = ["size": JSON(file.size), "timestamp": .integer(file.timestamp)]
        if file.blockSize != 0 {
            object["bi"] = JSON(file.blockSize / 8192)
            if file.blockChecksumSize != 6 { object["bic"] = JSON(file.blockChecksumSize) }
        }
        if let map = file.blockMapSize { object["bim"] = JSON(map) }
        if let bundle = file.bundle {
            object["bni"] = JSON(bundle)
            if file.bundleOffset != 0 { object["bno"] = JSON(file.bundleOffset) }
        }
        if file.size != 0, let checksum = file.checksum { object["checksum"] = .string(checksum.description) }
        if let valid = file.pagesValid { object["checksum-page"] = .bool(valid) }
        if !file.pageErrors.isEmpty {
            object["checksum-page-error"] = .array(
                file.pageErrors.map { range in
                    range.count == 1
                        ? .integer(Int64(range.lowerBound))
                        : .array([.integer(Int64(range.lowerBound)), .integer(Int64(range.upperBound))])
                })
        }
        file.owner.write(to: &object, besides: owner)
        if file.mode != mode { object["mode"] = octal(file.mode) }
        if let checksum = file.repositoryChecksum { object["rck"] = .string(checksum.description) }
        if let reference = file.reference { object["reference"] = .string(references[reference]) }
        if file.repositorySize != file.size { object["repo-size"] = JSON(file.repositorySize) }
        if file.originalSize != file.size { object["szo"] = JSON(file.originalSize) }
        return .object(object)
    }
}

private func octal(_ mode: UInt32) -> JSON {
    let digits = String(mode, radix: 8)
    return .string(String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
}

extension Manifest.Owner {
    fileprivate var userJSON: JSON { user.map { .string($0) } ?? .bool(false) }
    fileprivate var groupJSON: JSON { group.map { .string($0) } ?? .bool(false) }

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
