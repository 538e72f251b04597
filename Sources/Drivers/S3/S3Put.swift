// Writing an object: in one request when it is small, else in parts, several of which are on their way while the next is made.

internal import BackstopCore

struct S3Put {
    private let storage: S3Storage
    private let key: Key
    private let name: String
    private var pending: [(number: Int, buffer: PartBuffer, md5: [UInt8], upload: S3Pending)] = []
    /// What the store answered for each part, in order.
    private var parts: [(number: Int, tag: String)] = []
    private var digests: [UInt8] = []
    private var size = 0

    private var client: S3Client { storage.client }
    private var settings: S3Settings { storage.settings }
    private var shown: String { storage.shown(key) }

    init(_ storage: S3Storage, _ key: Key) {
        self.storage = storage
        self.key = key
        name = storage.settings.name(key)
    }

    mutating func run<Source: ByteSource & ~Copyable>(from source: inout Source) async throws(BackupError) -> Entry {
        // What fits into the parts that would be on their way at a time needs no more than one request.
        var buffers: [PartBuffer] = []
        var more = true
        while more && buffers.count < settings.partsInFlight {
            let buffer = storage.parts.take()
            buffers.append(buffer)
            more = try await buffer.fill(from: &source, limit: settings.partSize)
        }
        if !more {
            try await putWhole(buffers)
            for buffer in buffers { storage.parts.give(back: buffer) }
        } else {
            try await putParts(buffers, &source)
        }
        return Entry(key: key, kind: .file, size: UInt64(size), modified: unixNow())
    }

    private mutating func putWhole(_ buffers: [PartBuffer]) async throws(BackupError) {
        size = buffers.reduce(0) { $0 + $1.count }
        let md5 = try Hash.md5(buffers)
        let answer = try await sendNew(
            S3Call(
                method: "PUT", name: name, headers: objectHeaders() + storage.customerKeyHeaders(), body: buffers, md5: md5,
                what: "put '\(shown)'"))
        guard isTag(of: md5, answer) else {
            let tag = answer.headers["etag"].map(Self.unquoted)
            if let tag, try await head()?.tag == tag { await removeOwn(tag) }
            throw different("tag \(tag ?? "none")", "MD5 \(hexadecimal(md5))")
        }
    }

    /// A request that makes an object.
    private func sendNew(_ call: S3Call) async throws(BackupError) -> HTTPAnswer {
        do throws(BackupError) {
            return try await client.send(call)
        } catch {
            var error = error
            if settings.lock != nil, error.code == .io, error.hint == nil {
                error.hint = "repo-s3-object-lock needs a bucket that has object lock enabled."
            }
            throw error
        }
    }

    // MARK: In parts

    private mutating func putParts<Source: ByteSource & ~Copyable>(
        _ first: [PartBuffer], _ source: inout Source
    ) async throws(BackupError) {
        let id = try await begin()
        do throws(BackupError) {
            for (index, buffer) in first.enumerated() { try await send(buffer, index + 1, id) }
            var number = first.count
            var more = true
            while more {
                number += 1
                guard number <= 10_000 else {
                    throw BackupError(.full, "'\(shown)' is too large for the store", hint: "raise repo-storage-upload-chunk-size.")
                }
                // The oldest goes first: its memory is for the next one.
                try await finishOldest()
                // Small objects share the thread.
                await Task.yield()
                let size = settings.size(ofPart: number)
                let buffer = size == settings.partSize ? storage.parts.take() : PartBuffer(capacity: size)
                more = try await buffer.fill(from: &source, limit: size)
                if buffer.count > 0 { try await send(buffer, number, id) }
            }
            while !pending.isEmpty { try await finishOldest() }
            try await complete(id)
        } catch {
            for part in pending { part.upload.exchange.abandon() }
            await abort(id)
            throw error
        }
    }

    private func begin() async throws(BackupError) -> String {
        let answer = try await sendNew(
            S3Call(
                method: "POST", name: name, query: [("uploads", "")], headers: objectHeaders() + storage.customerKeyHeaders(),
                answersXML: true,
                what: "begin the upload of '\(shown)'"))
        guard let id = try XMLElement(parsing: answer.body).text("UploadId"), !id.isEmpty else {
            throw BackupError(.corrupt, "the store begins no upload of '\(shown)'")
        }
        return id
    }

    private mutating func send(_ buffer: PartBuffer, _ number: Int, _ id: String) async throws(BackupError) {
        let md5 = try Hash.md5([buffer])
        size += buffer.count
        digests += md5
        let upload = try await client.start(
            S3Call(
                method: "PUT", name: name, query: [("partNumber", "\(number)"), ("uploadId", id)], headers: storage.customerKeyHeaders(),
                body: [buffer], md5: md5, what: "put part \(number) of '\(shown)'"))
        pending.append((number, buffer, md5, upload))
    }

    private mutating func finishOldest() async throws(BackupError) {
        let part = pending[0]
        let answer = try await client.finish(part.upload)
        guard let tag = answer.headers["etag"] else { throw BackupError(.corrupt, "the store acknowledges no part of '\(shown)'") }
        guard isTag(of: part.md5, answer) else {
            throw different("tag \(tag)", "MD5 \(hexadecimal(part.md5))")
        }
        parts.append((part.number, tag))
        if part.buffer.capacity == storage.parts.capacity { storage.parts.give(back: part.buffer) }
        pending.removeFirst()
    }

    /// The object exists from here on. The answer may be late, lost, or a success that tells of a failure: what counts is what the store then
    /// shows under the name.
    private func complete(_ id: String) async throws(BackupError) {
        let document =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + parts.map { "<Part><PartNumber>\($0.number)</PartNumber><ETag>\(XMLElement.escaped($0.tag))</ETag></Part>" }.joined()
            + "</CompleteMultipartUpload>"
        let body = PartBuffer(document)
        var told: String?
        var doubt: BackupError?
        do throws(BackupError) {
            let answer = try await client.send(
                S3Call(
                    method: "POST", name: name, query: [("uploadId", id)], headers: storage.customerKeyHeaders(), body: [body],
                    answersXML: true,
                    what: "complete the upload of '\(shown)'"))
            let result = try XMLElement(parsing: answer.body)
            guard result.name == "CompleteMultipartUploadResult" else {
                throw BackupError(.io, "the store does not complete the upload of '\(shown)': it answers '\(result.name)'")
            }
            told = result.text("ETag")
        } catch {
            // A try whose answer was lost may have done it, and the next one found no upload any more.
            guard tagsAreDigests, error.code == .io || error.code == .corrupt || error.code == .unavailable else { throw error }
            doubt = error
        }
        let found = try await head()
        if let found, found.size == size, let tag = found.tag {
            if tagsAreDigests, tag == "\(hexadecimal(try Hash.md5(digests)))-\(parts.count)" { return }
            // Not every store makes the tag of the whole as Amazon does; but it tells one and the same tag.
            if doubt == nil, told.map({ Self.unquoted($0) == tag }) ?? true { return }
        }
        if let doubt { throw doubt }
        if let tag = told.map(Self.unquoted), found?.tag == tag { await removeOwn(tag) }
        throw different(found.map { "\($0.size) bytes, tag \($0.tag ?? "none")" } ?? "nothing", "\(size) bytes")
    }

    private func head() async throws(BackupError) -> (size: Int, tag: String?)? {
        do throws(BackupError) {
            let answer = try await client.send(
                S3Call(method: "HEAD", name: name, headers: storage.customerKeyHeaders(), what: "look at '\(shown)'"))
            guard let size = answer.headers["content-length"].flatMap({ Int($0) }) else { return nil }
            return (size, answer.headers["etag"].map(Self.unquoted))
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// Removes what this put made wrong, which the tag that the store gave it tells. What somebody else put under the name meanwhile stays:
    /// it may have been reported as stored.
    private func removeOwn(_ tag: String) async {
        do throws(BackupError) {
            _ = try await client.send(
                S3Call(
                    method: "DELETE", name: name, headers: [("if-match", "\"\(tag)\"")], what: "remove the damaged '\(shown)'"))
        } catch {
            client.log.detail(error.message)
        }
    }

    /// No part stays behind, also when the process was asked to end. What cannot be reached now shows up in `check`.
    private func abort(_ id: String) async {
        do throws(BackupError) {
            _ = try await client.send(
                S3Call(
                    method: "DELETE", name: name, query: [("uploadId", id)], outlivesCancellation: true,
                    what: "abort the upload of '\(shown)'"))
        } catch {
            client.log.detail(error.message)
        }
    }

    // MARK: Headers and tags

    private func objectHeaders() -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let key = settings.kmsKeyID {
            headers += [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", key)]
        }
        if !settings.tags.isEmpty {
            let tags = settings.tags.map { "\(SignatureV4.encoded($0.name))=\(SignatureV4.encoded($0.value))" }
            headers.append(("x-amz-tagging", tags.joined(separator: "&")))
        }
        if let lock = settings.lock {
            let until = utcTime(unixNow() + Int64(lock.days) * 86_400, "%Y-%m-%dT%H:%M:%SZ")
            headers += [("x-amz-object-lock-mode", lock.mode.rawValue), ("x-amz-object-lock-retain-until-date", until)]
        }
        return headers
    }

    /// Where the store encrypts with keys of its own the tag is no MD5.
    private var tagsAreDigests: Bool { settings.kmsKeyID == nil && settings.customerKey == nil }

    /// Whether the tag in the answer is that of these bytes, or says nothing of them: a bucket may encrypt without being asked to, which
    /// the answer tells, and a tag may be no MD5 at all.
    private func isTag(of md5: [UInt8], _ answer: HTTPAnswer) -> Bool {
        let encryption = answer.headers["x-amz-server-side-encryption"] ?? ""
        guard tagsAreDigests, !encryption.hasPrefix("aws:"), let tag = Self.plain(answer.headers["etag"]) else { return true }
        return tag == hexadecimal(md5)
    }

    /// The MD5 in a tag; nil when it is none.
    private static func plain(_ tag: String?) -> String? {
        guard let text = tag.map(unquoted), text.utf8.count == 32, text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
            return nil
        }
        return text.lowercased()
    }

    private static func unquoted(_ tag: String) -> String { tag.filter { $0 != "\"" } }

    private func different(_ found: String, _ sent: String) -> BackupError {
        BackupError(.io, "what the store has of '\(shown)' is not what was sent: \(found) instead of \(sent)")
    }
}
