// First-in first-out list through the objects' own `next` pointer. No allocation; one thread.
// An object stands in at most one such list.
#pragma once

#include <cstdint>

namespace sy::queue {

template <class T>
class IntrusiveFifo {
  public:
    [[nodiscard]] bool empty() const { return head_ == nullptr; }
    [[nodiscard]] uint32_t count() const { return count_; }
    [[nodiscard]] T* front() const { return head_; }

    void push_back(T* object) {
        object->next = nullptr;
        (head_ == nullptr ? head_ : tail_->next) = object;
        tail_ = object;
        ++count_;
    }
    void push_front(T* object) {
        object->next = head_;
        head_ = object;
        if (tail_ == nullptr) {
            tail_ = object;
        }
        ++count_;
    }
    T* pop_front() {
        T* object = head_;
        if (object != nullptr) {
            head_ = object->next;
            if (head_ == nullptr) {
                tail_ = nullptr;
            }
            object->next = nullptr;
            --count_;
        }
        return object;
    }
    /// Takes out the object behind `previous`, or with null the first. REQUIRES: there is one.
    void remove_after(T* previous) {
        if (previous == nullptr) {
            pop_front();
            return;
        }
        T* object = previous->next;
        previous->next = object->next;
        if (tail_ == object) {
            tail_ = previous;
        }
        object->next = nullptr;
        --count_;
    }

  private:
    T* head_ = nullptr;
    T* tail_ = nullptr;
    uint32_t count_ = 0;
};

}  // namespace sy::queue
