// Steps that a client asks for, run on the host of the data (docs/driver-protocol.md).

import BackstopCore

final class ServedSteps: ServedChain {
    private enum Finder {
        case size(ByteCount)
        case checksum(any Checksum)
        case pages(PageCheck)
    }

    let chain: Chain
    private var finders: [Finder] = []

    /// `wire`: `[{"tap": "size"}, {"tap": "sha1"}, {"tap": "pages", "size": 8192, "headerCheck": true}, {"codec": "lz4", "level": 1}]`
    init(_ wire: JSON, _ registry: Registry) throws(BackupError) {
        guard let list = wire.array, list.count <= 10 else { throw BackupError(.invalid, "steps are a list of up to ten") }
        var steps: [Step] = []
        for step in list {
            switch step["tap"]?.string {
            case "size":
                let count = ByteCount()
                finders.append(.size(count))
                steps.append(.tap(count))
            case "pages":
                guard let size = step["size"]?.int, (512...65536).contains(size), size & (size - 1) == 0 else {
                    throw BackupError(.invalid, "pages have a size")
                }
                let pages = PageCheck(pageSize: Int(size), headerCheck: step["headerCheck"]?.bool ?? true)
                finders.append(.pages(pages))
                steps.append(.tap(pages))
            case let name?:
                let checksum = try registry.checksum(name).make()
                finders.append(.checksum(checksum))
                steps.append(.tap(checksum))
            case nil:
                guard let name = step["codec"]?.string else { throw BackupError(.invalid, "'\(step.text)' is no step") }
                let codec = try registry.codec(name)
                let level = step["level"]?.int.flatMap { Int(exactly: $0) } ?? codec.defaultLevel
                steps.append(.transform(try codec.open(level, .normal).encoder()))
            }
        }
        chain = Chain(steps)
    }

    /// Which segment of its relation the next file is.
    func next(segment: UInt32) {
        for case .pages(let pages) in finders { pages.next(segment: segment) }
    }

    /// What each tap found, in their order.
    var findings: [String: JSON] {
        let found = finders.map { finder -> JSON in
            switch finder {
            case .size(let size): .object(["size": JSON(size.count)])
            case .checksum(let checksum): .object(["digest": .string(checksum.digest.description)])
            case .pages(let pages):
                .object([
                    "aligned": .bool(!pages.alignmentError),
                    "errors": .array(
                        Self.bounded(pages.errors).map { .array([JSON(UInt64($0.lowerBound)), JSON(UInt64($0.upperBound))]) }),
                ])
            }
        }
        return ["taps": .array(found)]
    }

    /// As many as fit into a frame; the last covers all others, good pages too: the client reads again what it is told of.
    private static func bounded(_ errors: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        let most = 20_000
        guard errors.count > most, let last = errors.last else { return errors }
        return errors[..<(most - 1)] + [errors[most - 1].lowerBound...last.upperBound]
    }
}
