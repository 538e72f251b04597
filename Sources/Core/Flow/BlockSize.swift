// How much memory data is copied in.

import Synchronization

/// Of the whole process, like the mode of new files: option `buffer-size`, of which each block has a quarter, since up to four are on their way.
public enum BlockSize {
    private static let bytes = Atomic<Int>(1 << 18)

    /// Bytes of the blocks between the steps of a chain and in front of what is stored.
    public static var standard: Int { bytes.load(ordering: .relaxed) }

    /// `buffers`: bytes. What was made before keeps its size.
    public static func set(buffers: Int) { bytes.store(max(buffers / 4, 4096), ordering: .relaxed) }
}
