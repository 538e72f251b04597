// The other end of the protocol: any storage or file tree, served on two descriptors.

import Glibc

/// Answers one conversation until the client ends it. A storage that fails is an answer; a client that sends nonsense is an error.
public struct StorageServer: ~Copyable {
    private let channel: Channel
    private let description: DriverDescription
    private let open: (JSON) async throws(BackupError) -> ServedStorage
    private var block = Block(capacity: 256 << 10)

    /// `open` makes the storage from the configuration that the client sends.
    public init(
        _ channel: Channel, _ description: DriverDescription, open: @escaping (JSON) async throws(BackupError) -> ServedStorage
    ) {
        self.channel = channel
        self.description = description
        self.open = open
    }

    /// Returns when the client has ended in order. What it had not finished to put is forgotten.
    public mutating func run() async throws(BackupError) {
        var served: ServedStorage?
        // Between requests a client may think as long as it likes.
        while let header = try channel.header(waiting: .seconds(1 << 30)) {
            guard header.kind == .call else { throw channel.unexpected(header, "a request") }
            let call = try channel.json(header)
            do throws(BackupError) {
                switch Request(call: call) {
                case .hello: try channel.send(.reply, description.wire)
                case .start:
                    let opened = try await open(call["config"] ?? .object([:]))
                    served = opened
                    try channel.send(.reply, opened.wire)
                case .put:
                    try await put(call, served?.storage)
                default:
                    guard let served else { throw Self.notStarted }
                    try await answer(call, served)
                }
            } catch {
                // What it could not be told, it will not be told now either.
                if error.code == .unavailable && error.cause is Broken { throw error }
                try channel.send(.failure, error.wire)
            }
        }
    }

    /// The conversation itself cannot go on.
    private struct Broken: Error {}
    private static let notStarted = BackupError(.invalid, "nothing was started: send {\"op\":\"start\",\"config\":{…}} first")

    private static func talk<Result>(_ body: () throws(BackupError) -> Result) throws(BackupError) -> Result {
        do throws(BackupError) {
            return try body()
        } catch {
            throw BackupError(.unavailable, error.message, cause: Broken())
        }
    }

    private static func key(_ call: JSON, _ name: String = "key") throws(BackupError) -> Key {
        guard let key = Key(served: call[name]) else { throw noName(call[name]) }
        return key
    }

    /// The key of something that is in the storage.
    private static func objectKey(_ value: JSON?) throws(BackupError) -> Key {
        guard let key = Key(served: value), !key.isRoot else { throw noName(value) }
        return key
    }

    private static func noName(_ value: JSON?) -> BackupError {
        BackupError(.invalid, "\(value?.text.prefix(300) ?? "nothing") is not a name inside the storage")
    }

    private mutating func answer(_ call: JSON, _ served: ServedStorage) async throws(BackupError) {
        let storage = served.storage
        switch Request(call: call) {
        case .open: try await sendObject(call, served)
        case .stat:
            let entry = try await storage.stat(try Self.key(call))
            try Self.talk { () throws(BackupError) in try channel.send(.reply, .object(["entry": entry?.wire ?? .null])) }
        case .list:
            guard let depth = Depth(wire: call) else { throw BackupError(.invalid, "a listing has the depth 'folder' or 'all'") }
            try await storage.list(try Self.key(call, "prefix"), depth) { (entry) throws(BackupError) in
                try Self.talk { () throws(BackupError) in try channel.send(.entry, entry.wire) }
            }
            try done()
        case .remove:
            guard let paths = call["keys"]?.array else { throw BackupError(.invalid, "remove needs a list of keys") }
            var keys: [Key] = []
            for path in paths {
                keys.append(try Self.objectKey(path))
            }
            try await storage.remove(keys)
            try done()
        case .sync:
            try await storage.sync(try Self.key(call, "prefix"))
            try done()
        case let request:
            let unknown = BackupError(.unsupported, "there is no request '\(call["op"]?.string ?? "")'")
            guard let request else { throw unknown }
            if let tree = storage as? any FileTree, try await change(tree, request, call) { return try done() }
            let reply = try await served.more?.answer(request, call) { (entry) throws(BackupError) in
                try Self.talk { () throws(BackupError) in try channel.send(.entry, entry) }
            }
            guard let reply else { throw unknown }
            try Self.talk { () throws(BackupError) in try channel.send(.reply, reply) }
        }
    }

    /// Folders, links and attributes. False when there is no such request.
    private func change(_ tree: any FileTree, _ request: Request, _ call: JSON) async throws(BackupError) -> Bool {
        switch request {
        case .makeDirectory: try await tree.makeDirectory(try Self.key(call), Attributes(wire: call))
        case .removeDirectory: try await tree.removeDirectory(try Self.key(call))
        case .setAttributes: try await tree.setAttributes(try Self.key(call), Attributes(wire: call))
        case .link:
            guard let kind = LinkKind(rawValue: call["kind"]?.string ?? ""), let target = call["target"]?.string else {
                throw BackupError(.invalid, "a link is of the kind 'symbolic' or 'hard' and has a target")
            }
            try await tree.link(try Self.key(call), to: target, kind)
        default: return false
        }
        return true
    }

    private func done() throws(BackupError) {
        try Self.talk { () throws(BackupError) in try channel.send(.reply, .object([:])) }
    }

    private mutating func sendObject(_ call: JSON, _ served: ServedStorage) async throws(BackupError) {
        var range: Range<UInt64>?
        if let given = call["range"], given != .null {
            guard let bounds = given.array, bounds.count == 2, let low = bounds[0].uint, let high = bounds[1].uint, low <= high else {
                throw BackupError(.invalid, "a range is [begin, end]")
            }
            range = low..<high
        }
        var steps: (any ServedChain)?
        if let given = call["steps"], given != .null {
            guard let more = served.more else { throw BackupError(.unsupported, "no steps can be run here") }
            steps = try more.chain(call)
        }
        let object = try await served.storage.open(try Self.objectKey(call["key"]), range: range)
        var source: any ByteSource & ~Copyable
        if let steps { source = try Flow(object, steps.chain) } else { source = object }
        try done()
        let channel = channel
        var more = true
        while more {
            block.clear()
            more = try await block.fill(from: &source)
            try Self.talk { () throws(BackupError) in try channel.send(&block) }
        }
        let findings = steps?.findings ?? [:]
        try Self.talk { () throws(BackupError) in try channel.send(.end, .object(findings)) }
    }

    private func put(_ call: JSON, _ storage: (any Storage)?) async throws(BackupError) {
        // The data comes in any case: it is read to its end before the answer.
        var source = ReceivedObject(channel)
        var result: Result<Entry, BackupError>
        do throws(BackupError) {
            guard let storage else { throw Self.notStarted }
            result = .success(
                try await storage.put(try Self.objectKey(call["key"]), from: &source, PutOptions(wire: call["options"] ?? .null)))
        } catch {
            result = .failure(error)
        }
        try Self.talk { () throws(BackupError) in try source.finish() }
        switch result {
        case .success(let entry): try Self.talk { () throws(BackupError) in try channel.send(.reply, .object(["entry": entry.wire])) }
        case .failure(let error): throw error
        }
    }
}

/// The data frames of a put.
struct ReceivedObject: ByteSource, ~Copyable {
    private let channel: Channel
    /// Of the frame under way.
    private var rest = 0
    private var hasEnded = false

    init(_ channel: Channel) { self.channel = channel }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        while rest == 0 {
            guard try next() else { return false }
        }
        rest -= try channel.data(rest, into: &out)
        return true
    }

    /// False at the end. Throws `.cancelled` when the sender gave up.
    private mutating func next() throws(BackupError) -> Bool {
        if hasEnded { return false }
        guard let header = try channel.header(waiting: channel.patience.answer) else { throw channel.ended("the end of the data") }
        switch header.kind {
        case .data: rest = header.length
        case .end:
            _ = try channel.json(header)
            hasEnded = true
            return false
        case .abandon:
            let reason = try channel.json(header)
            hasEnded = true
            throw BackupError(.cancelled, "given up by the sender: \(reason["message"]?.string ?? "")")
        default: throw channel.unexpected(header, "data")
        }
        return true
    }

    /// Takes what is still to come, so that an answer can be given.
    mutating func finish() throws(BackupError) {
        while !hasEnded {
            if rest > 0 { try channel.skip(FrameHeader(.data, length: rest)) }
            rest = 0
            do throws(BackupError) {
                _ = try next()
            } catch  where error.code == .cancelled && hasEnded {
                return
            }
        }
    }
}
