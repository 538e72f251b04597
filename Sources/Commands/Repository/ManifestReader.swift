// Reading a manifest: every name is checked before anything trusts it.

import BackstopCore

extension Manifest {
    /// Is given the entries of a manifest one after the other, so that its text is never in memory as a whole. Throws `.format` for what is no
    /// manifest and `.corrupt` for a name that leads outside. It collects raw entries first: the defaults come after the sections
    /// that need them.
    struct Reader {
        private var backup: [String: JSON] = [:]
        private var database: [String: JSON] = [:]
        private var option: [String: JSON] = [:]
        private var defaults: [String: [String: JSON]] = [:]
        private var cipher = CipherSection()
        private var targets: [Target] = []
        private var databases: [Database] = []
        private var annotations: [String: String] = [:]
        private var files: [StoredFile] = []
        /// Names of backups that files refer to, in the order in which they are met; `reference` of a file is an index into it.
        private var references: [String] = []
        /// Attributes that lack what a default gives: what they stand for is known at the end.
        private var incomplete: [ObjectIdentifier: Given] = [:]
        private var names = ManifestName.Sharing()
        private var attributes: [Given: FileAttributes.Sharing] = [:]
        /// Entries that lack what a default gives.
        private var paths: [(entry: Path, has: Given)] = []
        private var links: [(entry: Link, has: Given)] = []

        /// Bytes of all files so far.
        private var total: UInt64 = 0
        private static let largest = UInt64(1) << 60
        /// A block of 512 MiB.
        private static let largestBlockUnits = UInt64(1) << 16

        struct Given: Hashable {
            var mode = false
            var user = false
            var group = false
        }

        mutating func add(_ section: String, _ key: String, _ value: JSON) throws(BackupError) {
            switch section {
            case "backup": backup[key] = value
            case "backup:db": database[key] = value
            case "backup:option": option[key] = value
            case "backup:target": targets.append(try target(key, value))
            case "cipher": cipher.add(section, key, value)
            case "db":
                guard let id = value["db-id"]?.uint else { throw invalid("[db]", key) }
                databases.append(Database(name: key, id: id, lastSystemID: value["db-last-system-id"]?.uint ?? 0))
            case "metadata":
                if key == "annotation" { annotations = (value.object ?? [:]).compactMapValues(\.string) }
            case "target:file": try addFile(key, value)
            case "target:path":
                let (owner, mode, has) = try ownerAndMode(key, value)
                paths.append((Path(name: try checked(key), mode: mode, owner: owner), has))
            case "target:link":
                guard let destination = value["destination"]?.string else { throw invalid("[target:link]", key) }
                let (owner, _, has) = try ownerAndMode(key, value)
                links.append((Link(name: try checked(key), destination: destination, owner: owner), has))
            case "target:file:default", "target:path:default", "target:link:default":
                defaults[section, default: [:]][key] = value
            default: break
            }
        }

        private func invalid(_ section: String, _ key: String) -> BackupError {
            BackupError(.format, "entry '\(key)' of \(section) is not valid")
        }

        private func checked(_ name: String) throws(BackupError) -> String {
            _ = try Key(checking: name)
            guard name == dataName || name.isBelow(dataName) || name == tablespaceName || name.isBelow(tablespaceName) else {
                throw BackupError(.corrupt, "'\(name)' is neither in \(dataName) nor in \(tablespaceName)")
            }
            return name
        }

        private func target(_ key: String, _ value: JSON) throws(BackupError) -> Target {
            guard let path = value["path"]?.string, let type = value["type"]?.string else { throw invalid("[backup:target]", key) }
            var tablespace: (id: String, name: String)?
            if let id = value["tablespace-id"]?.string { tablespace = (id, value["tablespace-name"]?.string ?? "ts\(id)") }
            let file = value["file"]?.string
            if let file { _ = try Key(checking: file) }
            return Target(name: try checked(key), path: path, file: file, isLink: type == "link", tablespace: tablespace)
        }

        private func ownerAndMode(_ key: String, _ value: JSON) throws(BackupError) -> (Owner, UInt32, Given) {
            var has = Given()
            var owner = Owner()
            if let user = value["user"] { (owner.user, has.user) = (user.string, true) }
            if let group = value["group"] { (owner.group, has.group) = (group.string, true) }
            var mode: UInt32 = 0
            if let text = value["mode"]?.string {
                guard let number = UInt32(text, radix: 8), number <= 0o7777 else { throw invalid("mode", key) }
                (mode, has.mode) = (number, true)
            }
            return (owner, mode, has)
        }

        private mutating func addFile(_ key: String, _ value: JSON) throws(BackupError) {
            guard let size = value["size"]?.uint, let timestamp = value["timestamp"]?.int else { throw invalid("[target:file]", key) }
            let (owner, mode, has) = try ownerAndMode(key, value)
            let shared = attributes[has, default: FileAttributes.Sharing()].attributes(mode: mode, owner: owner)
            if has != Given(mode: true, user: true, group: true) { incomplete[ObjectIdentifier(shared)] = has }
            var file = StoredFile(names.name(try checked(key)), size: size, timestamp: timestamp, shared)
            if let original = value["szo"]?.uint { file.originalSize = original }
            if let text = value["checksum"]?.string {
                guard let checksum = SHA1Value(text) else { throw invalid("checksum", key) }
                file.checksum = checksum
            }
            if let text = value["rck"]?.string {
                guard let checksum = SHA1Value(text) else { throw invalid("rck", key) }
                file.repositoryChecksum = checksum
            }
            file.repositorySize = value["repo-size"]?.uint ?? size
            if let bundle = value["bni"]?.uint { file.bundle = bundle }
            if let offset = value["bno"]?.uint { file.bundleOffset = offset }
            let blockUnits = value["bi"]?.uint ?? 0
            if let size = value["bic"]?.int { file.blockChecksumSize = Int(size) }
            if let size = value["bim"]?.uint { file.blockMapSize = size }
            // Nothing that is computed from these numbers later may overflow.
            guard
                [file.size, file.originalSize, file.repositorySize, file.bundleOffset, file.bundle ?? 0].allSatisfy({ $0 <= Self.largest }),
                blockUnits <= Self.largestBlockUnits, 1...16 ~= file.blockChecksumSize,
                file.blockMapSize.map({ blockUnits > 0 && $0 <= file.repositorySize }) ?? true
            else { throw invalid("[target:file]", key) }
            if blockUnits > 0 { file.blockSize = blockUnits * 8192 }
            let (sum, overflow) = total.addingReportingOverflow(max(file.size, file.repositorySize))
            guard !overflow, sum <= Self.largest else { throw invalid("size", key) }
            total = sum
            file.pagesValid = value["checksum-page"]?.bool
            if let errors = value["checksum-page-error"]?.array {
                file.pageErrors = errors.compactMap { item in
                    if let page = item.uint { return UInt32(clamping: page)...UInt32(clamping: page) }
                    guard let pair = item.array, pair.count == 2, let low = pair[0].uint, let high = pair[1].uint, low <= high else {
                        return nil
                    }
                    return UInt32(clamping: low)...UInt32(clamping: high)
                }
            }
            if let reference = value["reference"]?.string {
                // The latest is met most.
                let known = references.lastIndex(of: reference)
                if known == nil { references.append(reference) }
                file.reference = known ?? references.count - 1
            }
            files.makeRoom()
            files.append(file)
        }

        /// After the last entry, when the checksum of the file is right. `outer`: the seal of the file itself; `format`: what it says. Throws
        /// `.crypto` when it lacks the passphrase that it should name.
        mutating func finish(in outer: Seal?, format: Int) throws(BackupError) -> Manifest {
            func text(_ key: String) -> String? { backup[key]?.string }
            guard let label = text("backup-label").flatMap({ BackupLabel($0) }), let type = text("backup-type").flatMap(BackupType.init)
            else {
                throw BackupError(.format, "[backup] has no valid label and type")
            }
            guard let version = database["db-version"]?.string.flatMap(PostgresVersion.init(written:)) else {
                throw BackupError(.format, "[backup:db] has no valid version")
            }
            var manifest = Manifest(
                label,
                of: DatabaseHistory.Database(
                    id: Int(database["db-id"]?.int ?? 0),
                    identity: ClusterIdentity(systemID: database["db-system-id"]?.uint ?? 0, version: version),
                    catalogVersion: database["db-catalog-version"]?.uint, controlVersion: database["db-control-version"]?.uint))
            manifest.format = format
            manifest.type = type
            if let prior = text("backup-prior") {
                guard let prior = BackupLabel(prior) else { throw BackupError(.format, "backup-prior is not a backup label") }
                manifest.prior = prior
            }
            manifest.timestampStart = backup["backup-timestamp-start"]?.int ?? 0
            manifest.timestampCopyStart = backup["backup-timestamp-copy-start"]?.int ?? 0
            manifest.timestampStop = backup["backup-timestamp-stop"]?.int ?? 0
            (manifest.archiveStart, manifest.archiveStop) = (text("backup-archive-start"), text("backup-archive-stop"))
            (manifest.lsnStart, manifest.lsnStop) = (text("backup-lsn-start"), text("backup-lsn-stop"))
            manifest.isBundled = backup["backup-bundle"]?.bool ?? false
            manifest.isBundledRaw = backup["backup-bundle-raw"]?.bool ?? false
            manifest.isBlockIncremental = backup["backup-block-incr"]?.bool ?? false
            manifest.places.targets = targets
            manifest.databases = databases
            manifest.annotations = annotations
            manifest.settings = settings()
            manifest.references = try finishReferences(text("backup-reference"), of: label)
            finishDefaults(of: &manifest)
            manifest.sort()
            try manifest.checkTargets()
            manifest.seal = try Seal.inner(of: outer, cipher, format: format, .salted)
            return manifest
        }

        private func settings() -> Settings {
            func flag(_ key: String) -> Bool { option[key]?.bool ?? false }
            return Settings(
                archiveCheck: flag("option-archive-check"), archiveCopy: flag("option-archive-copy"),
                standby: flag("option-backup-standby"), bufferSize: option["option-buffer-size"]?.int ?? 1 << 20,
                checksumPage: flag("option-checksum-page"),
                compressType: option["option-compress-type"]?.string ?? (flag("option-compress") ? "gz" : "none"),
                compressLevel: option["option-compress-level"]?.int ?? 0,
                compressLevelNetwork: option["option-compress-level-network"]?.int ?? 0, delta: flag("option-delta"),
                hardlink: flag("option-hardlink"), online: flag("option-online"), processMax: option["option-process-max"]?.int ?? 1)
        }

        /// Manifests before 2.42 have no list: it follows from the files.
        private mutating func finishReferences(_ list: String?, of label: BackupLabel) throws(BackupError) -> [BackupLabel] {
            let written = list.map { $0.split(separator: ",").map(String.init) } ?? references + [label.text]
            let all = written.compactMap { BackupLabel($0) }
            guard all.count == written.count else {
                throw BackupError(.format, "the manifest refers to something that is not a backup label")
            }
            let places = references.map { written.lastIndex(of: $0) }
            if places.enumerated().allSatisfy({ $0 == $1 }) { return all }
            for index in files.indices {
                guard let reference = files[index].reference else { continue }
                guard let place = places[reference] else {
                    throw BackupError(
                        .assertion, "file '\(files[index].name)' refers to '\(references[reference])', which is not in backup-reference")
                }
                files[index].reference = place
            }
            return all
        }

        private mutating func finishDefaults(of manifest: inout Manifest) {
            func owner(_ owner: Owner, _ has: Given, _ section: String) -> Owner {
                Owner(
                    user: has.user ? owner.user : defaults[section]?["user"]?.string,
                    group: has.group ? owner.group : defaults[section]?["group"]?.string)
            }
            func mode(_ mode: UInt32, _ has: Given, _ section: String, _ fallback: UInt32) -> UInt32 {
                has.mode ? mode : defaults[section]?["mode"]?.string.flatMap { UInt32($0, radix: 8) }.map { $0 & 0o7777 } ?? fallback
            }
            var complete: [ObjectIdentifier: FileAttributes] = [:]
            for index in files.indices {
                let given = files[index].attributes
                guard let has = incomplete[ObjectIdentifier(given)] else { continue }
                let whole =
                    complete[ObjectIdentifier(given)]
                    ?? FileAttributes(
                        mode: mode(given.mode, has, "target:file:default", 0o600), owner: owner(given.owner, has, "target:file:default"))
                complete[ObjectIdentifier(given)] = whole
                files[index].attributes = whole
            }
            swap(&manifest.files, &files)
            manifest.places.paths = paths.map { path, has in
                Path(
                    name: path.name, mode: mode(path.mode, has, "target:path:default", 0o700),
                    owner: owner(path.owner, has, "target:path:default"))
            }
            manifest.places.links = links.map { link, has in
                Link(name: link.name, destination: link.destination, owner: owner(link.owner, has, "target:link:default"))
            }
        }
    }
}
