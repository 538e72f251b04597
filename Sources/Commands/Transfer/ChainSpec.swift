// Which steps the bytes of a file go through where the file is: one description for a chain that is made here, asked for on another host, and
// served there (docs/driver-protocol.md).

import BackstopCore

struct ChainSpec: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        case size
        /// By its name in plugins.conf.
        case checksum(String)
        /// Bytes of a page; whether a page counts as new by its header.
        case pages(size: Int, headerCheck: Bool)
        case compress(codec: String, level: Int, Framing)
        /// Lets no byte through: only what the steps before it find is wanted.
        case drop
    }

    var steps: [Step]

    private static let most = 10

    /// What a backup looks at in every file, and how it is packed.
    static func backup(pages: Step?, packing: Step?) -> ChainSpec {
        ChainSpec(steps: [.size, .checksum("sha1")] + [pages, packing].compactMap { $0 })
    }

    /// What tells whether a file is the one that an earlier backup has.
    static let content = ChainSpec(steps: [.size, .checksum("sha1"), .drop])

    // MARK: As it travels

    /// `[{"tap": "size"}, {"tap": "sha1"}, {"tap": "pages", "size": 8192, "headerCheck": true}, {"codec": "lz4", "level": 1}]`
    var wire: JSON {
        .array(
            steps.map { step in
                switch step {
                case .size: .object(["tap": .string("size")])
                case .checksum(let name): .object(["tap": .string(name)])
                case .pages(let size, let headerCheck):
                    .object(["tap": .string("pages"), "size": JSON(size), "headerCheck": .bool(headerCheck)])
                case .compress(let codec, let level, .normal): .object(["codec": .string(codec), "level": JSON(level)])
                case .compress(let codec, let level, .raw): .object(["codec": .string(codec), "level": JSON(level), "raw": .bool(true)])
                case .drop: .object(["drop": .bool(true)])
                }
            })
    }

    /// Throws `.invalid` when it cannot be. A level that is not given is the codec's own.
    init(wire: JSON, _ registry: Registry) throws(BackupError) {
        guard let list = wire.array, list.count <= Self.most else { throw BackupError(.invalid, "steps are a list of up to ten") }
        steps = []
        for step in list {
            switch step["tap"]?.string {
            case "size": steps.append(.size)
            case "pages":
                guard let size = step["size"]?.int, (512...65536).contains(size), size & (size - 1) == 0 else {
                    throw BackupError(.invalid, "pages have a size")
                }
                steps.append(.pages(size: Int(size), headerCheck: step["headerCheck"]?.bool ?? true))
            case let name?: steps.append(.checksum(name))
            case nil where step["drop"]?.bool == true: steps.append(.drop)
            case nil:
                guard let name = step["codec"]?.string else { throw BackupError(.invalid, "'\(step.text)' is no step") }
                let codec = try registry.codec(name)
                steps.append(
                    .compress(
                        codec: name, level: step["level"]?.int.flatMap { Int(exactly: $0) } ?? codec.defaultLevel,
                        step["raw"]?.bool == true ? .raw : .normal))
            }
        }
    }

    init(steps: [Step]) { self.steps = steps }

    // MARK: As it runs

    /// `watching`: sees the bytes as they are in the file.
    func make(_ registry: Registry, watching: [any Tap] = []) throws(BackupError) -> RunningChain {
        var chain: [BackstopCore.Step] = watching.map { .tap($0) }
        var finders: [RunningChain.Finder] = []
        for step in steps {
            switch step {
            case .size:
                let count = ByteCount()
                finders.append(.size(count))
                chain.append(.tap(count))
            case .checksum(let name):
                let checksum = try registry.checksum(name).make()
                finders.append(.checksum(checksum))
                chain.append(.tap(checksum))
            case .pages(let size, let headerCheck):
                let pages = PageCheck(pageSize: size, headerCheck: headerCheck)
                finders.append(.pages(pages))
                chain.append(.tap(pages))
            case .compress(let name, let level, let framing):
                chain.append(.transform(try registry.codec(name).open(level, framing).encoder()))
            case .drop: chain.append(.transform(Drop()))
            }
        }
        return RunningChain(Chain(chain), finders)
    }
}

private final class Drop: Transform {
    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        Progress(consumed: input.byteCount, done: end)
    }

    func reset() {}
}
