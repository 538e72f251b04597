// A chain that was made of its description, and what its steps find in one file after the other.

import BackstopCore

final class RunningChain: ServedChain {
    enum Finder {
        case size(ByteCount)
        case checksum(any Checksum)
        case pages(PageCheck)
    }

    let chain: Chain
    private let finders: [Finder]

    init(_ chain: Chain, _ finders: [Finder]) { (self.chain, self.finders) = (chain, finders) }

    /// Which segment of its relation the next file is.
    func next(segment: UInt32) {
        for case .pages(let pages) in finders { pages.next(segment: segment) }
    }

    /// Of the last file, when it has been read to its end.
    var found: ChainFindings {
        var found = ChainFindings()
        for finder in finders {
            switch finder {
            case .size(let count): found.size = count.count
            case .checksum(let checksum): found.digest = checksum.digest.description
            case .pages(let pages): (found.pageErrors, found.isAligned) = (pages.errors, !pages.alignmentError)
            }
        }
        return found
    }

    /// The same for a client on another host: what each tap found, in their order.
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
