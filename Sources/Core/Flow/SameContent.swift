// Whether two sources have the same bytes.

import Glibc

/// Reads both to their ends, or to where they differ.
public func isSame<One: ByteSource & ~Copyable, Other: ByteSource & ~Copyable>(
    _ one: inout One, _ other: inout Other
) async throws(BackupError) -> Bool {
    var a = Block(capacity: BlockSize.standard)
    var b = Block(capacity: BlockSize.standard)
    var (isOneOver, isOtherOver) = (false, false)
    while true {
        a.clear()
        b.clear()
        if !isOneOver { isOneOver = try await !a.fillWhole(from: &one) }
        if !isOtherOver { isOtherOver = try await !b.fillWhole(from: &other) }
        guard a.count == b.count, memcmp(a.base, b.base, a.count) == 0 else { return false }
        // Of blocks that are full nobody knows yet whether they are the last ones.
        if !a.isFull || (isOneOver && isOtherOver) { return true }
    }
}
