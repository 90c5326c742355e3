// Gives a container's memory back. `container = {}` does not: it assigns an empty list of elements,
// and a vector keeps its memory for the next ones.
#pragma once

namespace sy {

template <class Container>
void release(Container& container) {
    Container().swap(container);
}

}  // namespace sy
