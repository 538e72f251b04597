// Reading an object: several requests for neighbouring parts are on their way while the first is read.

internal import BackstopCore

struct S3Source: ByteSource, ~Copyable {
    /// A part that was asked for.
    private struct Part {
        var range: Range<UInt64>
        var buffer: PartBuffer
        var pending: S3Pending
        var taken = 0
    }

    private let storage: S3Storage
    private let key: Key
    private let version: String?
    /// All parts are of the object that the first one was of.
    private let tag: String?
    private let end: UInt64
    private var parts: [Part]
    /// Where the part after the last one in `parts` begins.
    private var next: UInt64

    /// Asks for the first part and waits until the store begins to answer.
    static func open(
        _ storage: S3Storage, _ key: Key, _ range: Range<UInt64>?, version: String?
    ) async throws(BackupError) -> S3Source {
        let wanted = range ?? 0..<UInt64.max
        let first = wanted.lowerBound..<min(wanted.upperBound, wanted.lowerBound + UInt64(storage.settings.readSize))
        var part = try await ask(storage, key, first, version: version, tag: nil)
        var backoff = Backoff(storage.settings.http.timeout)
        while true {
            guard let head = await part.pending.exchange.head(), head.status < 300 else {
                // The rest of the answer tells why.
                switch storage.client.judge(await part.pending.exchange.answer(), part.pending.call) {
                case .again(let error, let after, let reason):
                    try await storage.client.mayTryAgain(error, after, reason, part.pending.keys, &backoff)
                    part = try await ask(storage, key, first, version: version, tag: nil)
                    continue
                case .failed(let error):
                    // Past the end there are no bytes; an empty object has nothing but its end.
                    if case .success(let answer) = await part.pending.exchange.answer(), answer.status == 416 {
                        return S3Source(storage, key, nil, tag: nil, end: first.lowerBound, first: nil)
                    }
                    throw error.code == .notFound ? storage.missing(key) : error
                case .done: throw BackupError(.assertion, "an answer without a beginning")
                }
            }
            let size = try size(head.status, head.headers, first, storage.shown(key))
            let end = max(min(wanted.upperBound, size), first.lowerBound)
            part.range = first.lowerBound..<min(first.upperBound, end)
            return S3Source(storage, key, version, tag: head.headers["etag"], end: end, first: part)
        }
    }

    private init(_ storage: S3Storage, _ key: Key, _ version: String?, tag: String?, end: UInt64, first: Part?) {
        self.storage = storage
        self.key = key
        self.version = version
        self.tag = tag
        self.end = end
        parts = first.map { [$0] } ?? []
        next = first?.range.upperBound ?? end
    }

    deinit { for part in parts { part.pending.exchange.abandon() } }

    /// The size of the whole object, from the head of an answer to a request for `range`.
    private static func size(
        _ status: Int, _ headers: [String: String], _ range: Range<UInt64>, _ shown: String
    ) throws(BackupError) -> UInt64 {
        // `bytes 0-4194303/10000000`
        if status == 206, let text = headers["content-range"], text.hasPrefix("bytes \(range.lowerBound)-"),
            let size = text.split(separator: "/").last.flatMap({ UInt64($0) })
        {
            return size
        }
        // Without a range in the answer it is the whole object.
        if status == 200, range.lowerBound == 0, let size = headers["content-length"].flatMap({ UInt64($0) }), size <= range.upperBound {
            return size
        }
        throw BackupError(.io, "the store does not answer with the range that was asked for of '\(shown)'")
    }

    private static func ask(
        _ storage: S3Storage, _ key: Key, _ range: Range<UInt64>, version: String?, tag: String?
    ) async throws(BackupError) -> Part {
        let buffer = storage.reads.take()
        var headers = storage.customerKeyHeaders() + [("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        if let tag { headers.append(("if-match", tag)) }
        let call = S3Call(
            method: "GET", name: storage.settings.name(key), query: version.map { [("versionId", $0)] } ?? [], headers: headers,
            sink: buffer,
            what: "read '\(storage.shown(key))'")
        return Part(range: range, buffer: buffer, pending: try await storage.client.start(call))
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        while true {
            try await askAhead()
            guard !parts.isEmpty else { return false }
            let (count, ended) = await parts[0].pending.exchange.received(beyond: parts[0].taken)
            let taken = min(count - parts[0].taken, out.freeCapacity)
            if taken > 0 {
                let bytes = UnsafeRawBufferPointer(rebasing: parts[0].buffer.memory[parts[0].taken..<parts[0].taken + taken])
                out.append(contentsOf: bytes)
                parts[0].taken += taken
            }
            if ended && parts[0].taken == count { try await endOfFirst(count) }
            if taken > 0 { return !parts.isEmpty || next < end }
        }
    }

    /// Keeps as many requests on their way as may be.
    private mutating func askAhead() async throws(BackupError) {
        while next < end, parts.count <= storage.settings.prefetch {
            let range = next..<min(end, next + UInt64(storage.settings.readSize))
            parts.append(try await Self.ask(storage, key, range, version: version, tag: tag))
            next = range.upperBound
        }
    }

    /// The first part has ended and all its `count` bytes are taken: on to the next, or on from the byte where it broke.
    private mutating func endOfFirst(_ count: Int) async throws(BackupError) {
        var part = parts[0]
        let result = await part.pending.exchange.answer()
        if case .success(let answer) = result, answer.status < 300, count == part.range.count {
            storage.reads.give(back: part.buffer)
            parts.removeFirst()
            return
        }
        let outcome: S3Outcome
        if case .success(let answer) = result, answer.status < 300 {
            outcome = .again(
                BackupError(.unavailable, "unable to read '\(storage.shown(key))': \(count) of \(part.range.count) bytes came"), after: nil,
                reason: .trouble)
        } else {
            outcome = storage.client.judge(result, part.pending.call)
        }
        switch outcome {
        case .done: throw BackupError(.assertion, "a transfer ended before its end")
        case .failed(let error):
            if error.code == .alreadyExists { throw BackupError(.io, "'\(storage.shown(key))' was replaced while it was read") }
            throw error.code == .notFound ? storage.missing(key) : error
        case .again(let error, let after, let reason):
            // What came is taken, so every byte that comes buys new patience.
            var backoff = count > 0 ? Backoff(storage.settings.http.timeout) : part.pending.backoff
            try await storage.client.mayTryAgain(error, after, reason, part.pending.keys, &backoff)
            let rest = part.range.lowerBound + UInt64(count)..<part.range.upperBound
            storage.reads.give(back: part.buffer)
            part = try await Self.ask(storage, key, rest, version: version, tag: tag)
            part.pending.backoff = backoff
            parts[0] = part
        }
    }
}
