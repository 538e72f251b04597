// How large what is tried is: what real backups bring, or less where every object costs a journey.

/// The sizes that the checks try besides the small ones.
public struct SizeOfLife: Sendable {
    /// Of large objects, in bytes.
    public var objects: [Int]
    /// Entries of the longest listing.
    public var listing: Int
    /// Objects that are removed in one call; what the protocol allows.
    public var removals = 500

    public init(objects: [Int], listing: Int) {
        self.objects = objects
        self.listing = listing
    }

    /// A WAL segment has 16 MiB, a file of a table up to 1024; a folder of a database can have more than ten thousand files.
    public static let full = SizeOfLife(objects: [(8 << 20) + 1, 16 << 20, (64 << 20) + 4097], listing: 10_500)
    /// For stores that are far away or slow: more than one page of a listing, more than one part of an object.
    public static let reduced = SizeOfLife(objects: [(16 << 20) + 1], listing: 2100)

    var largest: Int { objects.max() ?? 0 }
}
