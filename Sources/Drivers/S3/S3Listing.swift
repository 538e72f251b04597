// What is in the bucket: listings of objects, of their versions, and of uploads that were never completed.

public import BackstopCore
internal import Synchronization

extension S3Storage {
    public func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        if settings.targetTime != nil { return try await listThePast(prefix, depth, visit) }
        var query = listQuery(prefix, depth)
        query.append(("list-type", "2"))
        var token: String?
        repeat {
            let page = try await page(query + (token.map { [("continuation-token", $0)] } ?? []), "ListBucketResult", prefix)
            for item in page.all("Contents") {
                guard let entry = try object(item, page, prefix) else { continue }
                try visit(entry)
            }
            try visitFolders(of: page, visit)
            token = try next(page, after: token, named: "NextContinuationToken", prefix)
        } while token != nil
    }

    // MARK: Pages

    /// The store answers with what begins with this; names that end in `/` between it and the rest are folders.
    private func listQuery(_ prefix: Key, _ depth: Depth) -> [(name: String, value: String)] {
        let folder = settings.name(prefix)
        var query = [(name: "encoding-type", value: "url"), (name: "prefix", value: folder.isEmpty ? "" : "\(folder)/")]
        switch depth {
        case .all: break
        case .folder: query.append(("delimiter", "/"))
        case .names(let beginning):
            query[1].value += beginning
            query.append(("delimiter", "/"))
        }
        return query
    }

    func page(_ query: [(name: String, value: String)], _ name: String, _ prefix: Key) async throws(BackupError) -> XMLElement {
        var tries = 0
        while true {
            let answer = try await client.send(S3Call(method: "GET", query: query, answersXML: true, what: "list '\(shown(prefix))'"))
            do throws(BackupError) {
                let page = try XMLElement(parsing: answer.body)
                guard page.name == name else { throw BackupError(.corrupt, "the store answers '\(page.name)' instead of '\(name)'") }
                return page
            } catch {
                // A page that was cut, perhaps by something between here and the store.
                tries += 1
                if tries == 3 { throw error.during("unable to list '\(shown(prefix))'") }
            }
        }
    }

    /// Where the next page begins; nil after the last. A page that says neither is an error: half a listing would look like deletions.
    private func next(
        _ page: XMLElement, after token: String?, named name: String, _ prefix: Key
    ) throws(BackupError) -> String? {
        guard let more = page.text("IsTruncated") else {
            throw BackupError(.corrupt, "unable to list '\(shown(prefix))': the store does not tell whether there is more")
        }
        guard more == "true" else { return nil }
        guard let next = page.text(name), !next.isEmpty, next != token else {
            throw BackupError(.corrupt, "unable to list '\(shown(prefix))': the store does not tell where the listing goes on")
        }
        return next
    }

    /// A name as it is in the store; pages that say so have it encoded.
    func name(_ text: String, _ page: XMLElement) throws(BackupError) -> String {
        guard page.text("EncodingType") == "url" else { return text }
        guard let name = SignatureV4.decoded(text) else { throw BackupError(.corrupt, "the listing holds the malformed name '\(text)'") }
        return name
    }

    /// nil for what is no object of a repository: other tools mark folders by objects whose names end in `/`.
    private func object(_ item: XMLElement, _ page: XMLElement, _ prefix: Key) throws(BackupError) -> Entry? {
        guard let text = item.text("Key"), let size = item.text("Size").flatMap({ UInt64($0) }),
            let modified = item.text("LastModified").flatMap({ seconds(iso8601: $0) })
        else { throw BackupError(.corrupt, "unable to list '\(shown(prefix))': an entry lacks its name, size or time") }
        let name = try name(text, page)
        guard !name.hasBytesAtEnd("/"), let key = settings.key(ofName: name) else { return nil }
        return Entry(key: key, kind: .file, size: size, modified: modified)
    }

    private func visitFolders(of page: XMLElement, _ visit: (Entry) throws(BackupError) -> Void) throws(BackupError) {
        for item in page.all("CommonPrefixes") {
            guard let text = item.text("Prefix") else { continue }
            let name = try name(text, page)
            guard name.hasBytesAtEnd("/"), let key = settings.key(ofName: String(name.dropLast())) else { continue }
            try visit(Entry(key: key, kind: .folder, size: 0, modified: 0))
        }
    }

    // MARK: Removing many

    public func remove(_ keys: [Key]) async throws(BackupError) {
        if settings.targetTime != nil, let first = keys.first { return try await remove(first) }
        for start in stride(from: 0, to: keys.count, by: 1000) {
            try await removeBatch(Array(keys[start..<min(start + 1000, keys.count)]))
        }
    }

    private func removeBatch(_ keys: [Key]) async throws(BackupError) {
        let document =
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
            + keys.map { "<Object><Key>\(XMLElement.escaped(settings.name($0)))</Key></Object>" }.joined() + "</Delete>"
        let body = PartBuffer(document)
        let answer = try await client.send(
            S3Call(
                method: "POST", query: [("delete", "")], body: [body], md5: try Hash.md5([body]), answersXML: true,
                what: "remove \(keys.count) objects of '\(location)'"))
        let result = try XMLElement(parsing: answer.body)
        guard result.name == "DeleteResult" else {
            throw BackupError(.corrupt, "unable to remove objects of '\(location)': the store answers '\(result.name)'")
        }
        for problem in result.all("Error") {
            let name = problem.text("Key") ?? ""
            guard let key = settings.key(ofName: name) else { throw BackupError(.io, "unable to remove '\(name)' of '\(location)'") }
            switch problem.text("Code") {
            case "NoSuchKey", "NoSuchVersion": continue
            // One by one it has the retries of any request, and the error that belongs to it.
            default: try await remove(key)
            }
        }
    }

    // MARK: The past

    /// Without old versions less would be seen than there was.
    private func requireVersions() async throws(BackupError) {
        if keepsVersions.load(ordering: .relaxed) { return }
        do throws(BackupError) {
            let answer = try await client.send(
                S3Call(method: "GET", query: [("versioning", "")], what: "ask whether bucket '\(settings.bucket)' keeps versions"))
            let status = try XMLElement(parsing: answer.body).text("Status")
            guard status == "Enabled" || status == "Suspended" else {
                throw BackupError(
                    .unsupported, "bucket '\(settings.bucket)' keeps no versions, so it cannot be seen as it was at a time",
                    hint: "take out repo-target-time; and enable versioning of the bucket, for the next time.")
            }
        } catch {
            // Not every store has the question, and not everybody may ask it.
            guard [.denied, .io, .notFound, .corrupt].contains(error.code) else { throw error }
            client.log.detail(error.message)
        }
        keepsVersions.store(true, ordering: .relaxed)
    }

    struct Version {
        var id: String
        var size: UInt64
        var modified: Int64
    }

    func entry(_ key: Key, _ version: Version) -> Entry {
        Entry(key: key, kind: .file, size: version.size, modified: version.modified)
    }

    /// The version of `key` at the target time; nil when it did not exist then.
    func version(of key: Key) async throws(BackupError) -> Version? {
        var found: Version?
        try await versions(key.parent, .names(beginningWith: String(key.name))) { (other, version) throws(BackupError) in
            if other == key { found = version }
        }
        return found
    }

    private func listThePast(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        // A folder was there when an object in it was, so folders cannot be left to the store: all that is below has to be seen.
        var folders: Set<Key> = []
        let whole: Depth = if case .names(let beginning) = depth { .names(beginningWith: beginning) } else { .all }
        try await versions(prefix, whole) { (key, version) throws(BackupError) in
            guard let child = key.child(of: prefix) else { return }
            if depth == .all || child == key {
                try visit(entry(key, version))
            } else if folders.insert(child).inserted {
                try visit(Entry(key: child, kind: .folder, size: 0, modified: 0))
            }
        }
    }

    /// Visits the objects that existed at the target time. A store lists the versions of a name from the newest to the oldest, but some put
    /// what was removed at the end of each page.
    private func versions(
        _ prefix: Key, _ depth: Depth, _ visit: (Key, Version) throws(BackupError) -> Void
    ) async throws(BackupError) {
        try await requireVersions()
        let time = settings.targetTime ?? .max
        let query = [(name: "versions", value: "")] + listQuery(prefix, .all).map { (name: $0.name, value: $0.value) }
        var beginning = query
        if case .names(let text) = depth { beginning[beginning.count - 1].value += text }
        var decided: Set<Key> = []
        var marker: [(name: String, value: String)] = []
        var last: String?
        repeat {
            let page = try await page(beginning + marker, "ListVersionsResult", prefix)
            // The versions of the last name may go on on the next page.
            var going: Set<Key> = []
            var newest: [Key: (modified: Int64, version: Version?)] = [:]
            for item in page.children where item.name == "Version" || item.name == "DeleteMarker" {
                guard let text = item.text("Key"), let id = item.text("VersionId"),
                    let modified = item.text("LastModified").flatMap({ seconds(iso8601: $0) })
                else { throw BackupError(.corrupt, "unable to list '\(shown(prefix))': a version lacks its name, number or time") }
                let name = try name(text, page)
                guard !name.hasBytesAtEnd("/"), let key = settings.key(ofName: name) else { continue }
                guard !decided.contains(key) else {
                    going.insert(key)
                    continue
                }
                guard modified <= time, modified > newest[key]?.modified ?? .min else { continue }
                let size = item.text("Size").flatMap { UInt64($0) } ?? 0
                newest[key] = (modified, item.name == "Version" ? Version(id: id, size: size, modified: modified) : nil)
            }
            for (key, found) in newest { if let version = found.version { try visit(key, version) } }
            decided = going.union(newest.keys)
            // Two markers, of which the second may be missing: the name goes on anew then.
            let key = try next(page, after: nil, named: "NextKeyMarker", prefix)
            let version = page.text("NextVersionIdMarker") ?? ""
            if let key {
                guard "\(key) \(version)" != last else {
                    throw BackupError(.corrupt, "unable to list '\(shown(prefix))': the store does not tell where the listing goes on")
                }
                last = "\(key) \(version)"
                marker =
                    [(name: "key-marker", value: try self.name(key, page))]
                    + (version.isEmpty ? [] : [(name: "version-id-marker", value: version)])
            } else {
                last = nil
            }
        } while last != nil
    }
}
