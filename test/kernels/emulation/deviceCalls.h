// The device behind the interface of the addon, called from a program: each call waits for its end.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../../../native/backend.h"

/// Standard normal numbers.
std::vector<float> draw(size_t count, unsigned seed);

/// Starts `call` and waits for its end: empty, or the code and the message of the error, as of all that
/// follow.
std::string ended(const std::function<void(seine::Done done)>& call);
std::string open(std::unique_ptr<seine::Backend>& backend, std::vector<int> devices = {});
/// `features` [rows, width], for rows that have them.
std::string append(seine::Rows& rows, const std::vector<float>& data, size_t dim,
                   const std::vector<float>& features = {});
std::string search(seine::Rows& rows, const std::shared_ptr<seine::SearchTask>& task);
std::string writeColumn(seine::Rows& rows, size_t array, size_t at, const std::vector<uint32_t>& words);
std::string filter(seine::Rows& rows, const std::shared_ptr<seine::FilterTask>& task);
std::string rescore(seine::Rows& rows, const std::shared_ptr<seine::RescoreTask>& task);

std::shared_ptr<seine::SearchTask> taskOf(const std::vector<float>& queries, size_t dim, size_t k,
                                          size_t count);
/// Whether the task holds what scoring and sorting all rows gives.
bool isExact(const seine::SearchTask& task, seine::Metric metric, const std::vector<float>& data, size_t dim);

/// Waits until memory of a device that nobody owns any more is freed.
void drain(int device = 0);

/// Bytes that a search moves between the device's memory and its processors.
size_t bytesMoved(seine::Rows& rows, const std::shared_ptr<seine::SearchTask>& task);
