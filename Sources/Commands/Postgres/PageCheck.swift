// Checks the pages of a relation file while its bytes flow by.

import BackstopCore
import CPageChecksum

/// Notes the pages whose checksum is wrong. It never stops a put: a damaged page is backed up like any other and told about.
/// Before each file `next`; the results are there from the end of the flow until the next one.
final class PageCheck: Tap {
    /// Bytes.
    let pageSize: Int
    /// Whether a page counts as new by its header (else by its checksum being zero).
    let headerCheck: Bool
    /// Numbers of the damaged pages in their relation, ascending. Empty after an alignment error: pages cannot be told then.
    private(set) var errors: [ClosedRange<UInt32>] = []
    /// The file's size is not a multiple of the page size. Known after `finish`.
    private(set) var alignmentError = false
    var isValid: Bool { errors.isEmpty && !alignmentError }

    private static let segmentSize = 1 << 30
    private var firstPage: UInt32 = 0
    /// Pages of the file that were seen.
    private var seen: UInt64 = 0
    /// The begin of a page whose end has not come yet.
    private var partial: [UInt8] = []

    init(pageSize: Int = 8192, headerCheck: Bool = true) {
        self.pageSize = pageSize
        self.headerCheck = headerCheck
        partial.reserveCapacity(pageSize)
    }

    /// Sets which segment of its relation the next file is (`DatabasePath.segment`).
    func next(segment: UInt32) {
        firstPage = segment &* UInt32(Self.segmentSize / pageSize)
        reset()
    }

    func update(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes
            if !partial.isEmpty {
                let missing = min(pageSize - partial.count, rest.count)
                partial.append(contentsOf: rest[..<missing])
                rest = UnsafeRawBufferPointer(rebasing: rest[missing...])
                guard partial.count == pageSize else { return }
                partial.withUnsafeBytes { check($0) }
                partial.removeAll(keepingCapacity: true)
            }
            let whole = rest.count - rest.count % pageSize
            check(UnsafeRawBufferPointer(rebasing: rest[..<whole]))
            partial.append(contentsOf: rest[whole...])
        }
    }

    func finish() {
        guard !partial.isEmpty else { return }
        alignmentError = true
        errors = []
    }

    func reset() {
        errors.removeAll(keepingCapacity: true)
        alignmentError = false
        seen = 0
        partial.removeAll(keepingCapacity: true)
    }

    /// Checks whole pages.
    private func check(_ pages: UnsafeRawBufferPointer) {
        let count = pages.count / pageSize
        var index = 0
        while index < count {
            let page = firstPage &+ UInt32(truncatingIfNeeded: seen)
            let start = UnsafeRawBufferPointer(rebasing: pages[(index * pageSize)...])
            let good = backstop_good_pages(start.baseAddress, pageSize, count - index, page, headerCheck)
            index += good
            seen += UInt64(good)
            guard index < count else { return }
            add(firstPage &+ UInt32(truncatingIfNeeded: seen))
            index += 1
            seen += 1
        }
    }

    /// Whether a page that failed is good when read again: PostgreSQL may have written it while it was read.
    func isGood(_ page: [UInt8], number: UInt32) -> Bool {
        page.count == pageSize && backstop_good_pages(page, pageSize, 1, number, headerCheck) == 1
    }

    private func add(_ page: UInt32) {
        if let last = errors.last, last.upperBound &+ 1 == page, page != 0 {
            errors[errors.count - 1] = last.lowerBound...page
        } else {
            errors.append(page...page)
        }
    }
}
